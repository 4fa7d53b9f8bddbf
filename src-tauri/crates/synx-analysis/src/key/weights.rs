//! Weights of the key decisions, written by `training/train.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 33] = [
    0.6949, -0.1036, 2.1023, 0.6980, 0.8938, 0.0415, 1.3198, -0.6873,
    0.5410, -0.6607, -0.9142, 3.3593, -0.5831, 1.3241, 2.6906, 0.2561,
    -1.3047, 3.0222, 0.5459, 5.6663, -0.1475, 5.6876, 4.1939, -1.1917,
    -2.9728, 3.4529, 6.9752, 1.8522, 5.1154, -4.5747, 3.4148, 0.9213,
    -0.5953,
];

/// Slope and offset that make a share of the softmax a confidence.
pub(crate) const CALIBRATION: (f64, f64) = (0.9661, 0.1175);

/// What is added to the weighted sum of the signs.
pub(crate) const PRESENCE_BIAS: f64 = -21.6434;

/// One weight for each of the signs.
#[rustfmt::skip]
pub(crate) const PRESENCE_WEIGHTS: [f32; 8] = [
    8.0405, 5.9762, 1.4478, 3.3128, 4.2837, 3.0982, 10.7774, 11.7771,
];
