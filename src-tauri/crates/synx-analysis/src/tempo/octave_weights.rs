//! Weights of the octave decision, written by `training/train_octave.py`. Do not edit by hand.

/// One weight for each of the features, in their order.
pub(crate) const WEIGHTS: [f32; 34] = [
    0.0, -4.0, 0.0, 0.0, 2.0, 2.0, 2.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.5, 0.3, 0.3, 0.3, -0.3, 0.0, 0.0, 0.0,
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
