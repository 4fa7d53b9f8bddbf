//! Weights of the key decision, written by `training/train.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 19] = [
    2.2069, -1.5317, 4.7383, -0.8067, 0.4850, 0.5248, 3.3323, -2.2964,
    -0.4189, -0.4207, -1.0429, 2.7653, -0.4035, 0.8553, 1.6880, -0.9165,
    -1.0299, 6.2399, -0.5166,
];

/// Slope and offset that make a share of the softmax a confidence.
pub(crate) const CALIBRATION: (f64, f64) = (1.4082, 0.0515);

/// What is added to the weighted sum of the signs that there is a key.
pub(crate) const PRESENCE_BIAS: f64 = -18.4349;

/// One weight for each of those signs.
#[rustfmt::skip]
pub(crate) const PRESENCE_WEIGHTS: [f32; 8] = [
    7.1404, 5.7137, 1.4983, 2.7947, 4.1705, 2.5854, 8.9490, 10.1547,
];
