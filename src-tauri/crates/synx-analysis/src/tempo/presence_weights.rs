//! Weights of the decision whether there is a tempo, written by `training/train.py`. Do not edit by hand.

/// What is added to the weighted sum of the signs.
pub(crate) const BIAS: f64 = -15.6484;

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 8] = [
    7.1994, 5.9869, 3.7899, 4.1004, 0.9682, 0.5174, 12.2063, 2.2179,
];
