//! Weights of the key decisions, written by `training/train.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 33] = [
    0.4827, -0.3285, 2.1610, 0.5675, 0.6656, -0.2349, 1.5050, -0.4455,
    0.4793, -0.8395, -0.9702, 4.3534, -0.5701, 1.3355, 2.3775, 0.6780,
    -1.2825, 2.9660, 0.5911, 5.1844, -1.3881, 4.8927, 4.1491, -1.7254,
    -1.0325, 3.0801, 7.4805, 0.3896, 5.9555, -3.9293, 0.5057, 1.3109,
    0.1191,
];

/// Slope and offset that make a share of the softmax a confidence.
pub(crate) const CALIBRATION: (f64, f64) = (1.0371, 0.1691);

/// What is added to the weighted sum of the signs.
pub(crate) const PRESENCE_BIAS: f64 = -22.6095;

/// One weight for each of the signs.
#[rustfmt::skip]
pub(crate) const PRESENCE_WEIGHTS: [f32; 8] = [
    9.7264, 4.6829, 2.2531, 5.3289, 5.0796, 3.0373, 9.5357, 9.3527,
];
