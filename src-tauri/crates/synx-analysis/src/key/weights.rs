//! Weights of the key decision, written by `training/train.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
pub(crate) const WEIGHTS: [f32; 19] =
    [6.0, 2.0, 3.0, 1.0, 1.0, 4.0, 1.0, 1.0, 0.5, 0.5, 1.0, 0.5, 0.0, 0.5, 0.5, 0.0, 1.0, 0.0, 0.0];
