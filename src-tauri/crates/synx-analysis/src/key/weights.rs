//! Weights of the key decisions, written by `training/train.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 33] = [
    0.3564, -0.2706, 1.8793, 0.5955, 0.6948, -0.1480, 1.3411, -0.3775,
    0.6532, -1.0426, -1.0224, 4.7636, -0.5904, 1.2282, 2.0798, 0.5811,
    -1.3140, 3.2675, 0.6350, 4.5896, -2.6080, 3.8230, 3.3931, -2.8043,
    -3.7995, 2.4014, 6.5048, 0.7226, 5.9778, -5.3721, 3.8126, 1.3115,
    -0.1665,
];

/// Slope and offset that make a share of the softmax a confidence.
pub(crate) const CALIBRATION: (f64, f64) = (1.0137, 0.1897);

/// What is added to the weighted sum of the signs.
pub(crate) const PRESENCE_BIAS: f64 = -21.3855;

/// One weight for each of the signs.
#[rustfmt::skip]
pub(crate) const PRESENCE_WEIGHTS: [f32; 8] = [
    8.3221, 6.3993, 1.3852, 3.1948, 4.2731, 3.1202, 10.6729, 11.4624,
];
