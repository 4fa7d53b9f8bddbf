//! Weights of the decision whether there is a tempo, written by `training/train.py`. Do not edit by hand.

/// What is added to the weighted sum of the signs.
pub(crate) const BIAS: f64 = -16.1938;

/// One weight for each of the features, in their order.
#[rustfmt::skip]
pub(crate) const WEIGHTS: [f32; 9] = [
    6.9677, 6.4103, 4.2441, 4.2064, 0.9286, 0.6262, 15.3716, 2.5509,
    1.6218,
];
