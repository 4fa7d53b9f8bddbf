//! Weights of the decision about the bar, written by `training/bars.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 30] = [
    -1.5327, -1.3871, -1.8275, -1.5770, 4.7022, 4.5011, 3.0916, 2.7952,
    6.5875, 1.2502, 2.9562, 1.1514, -0.5772, 0.0141, 0.1542, -0.0590,
    2.1856, -1.3978, -0.1240, -0.7800, 0.9182, -0.0368, -0.2083, 0.5908,
    2.1649, 0.7065, -0.5746, -0.1014, 0.2874, 0.6051,
];

/// Slope and offset that make a share of the softmax a confidence.
pub(crate) const CALIBRATION: (f64, f64) = (0.8066, 0.0991);
