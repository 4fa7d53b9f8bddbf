//! Weights of the decision about the bar, written by `training/bars.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 30] = [
    -1.3514, -1.7913, -1.5513, -0.9969, 4.3966, 4.0212, 4.5040, 3.6525,
    5.3150, 2.9425, 1.5557, 0.7832, -0.6202, -0.1150, 0.0731, -0.4357,
    2.5920, -1.2800, -0.3023, -1.1613, 0.5754, 0.3428, -0.6161, 0.8762,
    1.5577, 0.5563, -0.9021, -0.6968, -0.6503, 0.2366,
];

/// Slope and offset that make a share of the softmax a confidence.
pub(crate) const CALIBRATION: (f64, f64) = (0.6828, -0.0863);
