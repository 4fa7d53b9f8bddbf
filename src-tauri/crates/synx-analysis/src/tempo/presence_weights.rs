//! Weights of the decision whether there is a tempo, written by `training/train.py`. Do not edit by hand.

/// What is added to the weighted sum of the signs.
pub(crate) const BIAS: f64 = -16.8307;

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 9] = [
    7.4915, 6.8502, 4.5167, 4.6211, 0.8631, 0.5940, 15.9438, 2.6158,
    1.5614,
];
