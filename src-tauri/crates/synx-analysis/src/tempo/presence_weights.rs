//! Weights of the decision whether there is a tempo, written by `training/train.py`. Do not edit by hand.

/// What is added to the weighted sum of the signs.
pub(crate) const BIAS: f64 = -17.9617;

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 9] = [
    4.2662, 6.0965, 5.7541, 7.0516, 0.9625, 0.5946, 16.6829, 2.5024,
    1.3122,
];
