//! How often each degree of the scale sounds in a key: published profiles, tonic first.

/// Major and minor profile of one author.
pub(crate) struct Profile {
    pub(crate) major: [f32; 12],
    pub(crate) minor: [f32; 12],
}

/// Different origins (listening tests, scores, dance music), so that their errors differ.
pub(crate) const PROFILES: [Profile; 5] = [
    // Faraldo, "bgate" (thesis, UPF 2017): mostly dance music, everything weak set to zero.
    Profile {
        major: [1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30],
        minor: [1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23],
    },
    // Faraldo et al., "edma", ECIR 2016.
    Profile {
        major: [1.00, 0.29, 0.50, 0.40, 0.60, 0.56, 0.32, 0.80, 0.31, 0.45, 0.42, 0.39],
        minor: [1.00, 0.31, 0.44, 0.58, 0.33, 0.49, 0.29, 0.78, 0.43, 0.29, 0.53, 0.32],
    },
    // Temperley, "Music and Probability", 2007 (Kostka-Payne corpus).
    Profile {
        major: [0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400],
        minor: [0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330],
    },
    // Krumhansl, "Cognitive Foundations of Musical Pitch", 1990 (probe tones).
    Profile {
        major: [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
        minor: [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
    },
    // Sha'ath, "Estimation of key in digital music recordings", 2011.
    Profile {
        major: [6.6, 2.0, 3.5, 2.3, 4.6, 4.0, 2.5, 5.2, 2.4, 3.7, 2.3, 3.4],
        minor: [6.5, 2.7, 3.5, 5.4, 2.6, 3.5, 2.5, 5.2, 4.0, 2.7, 4.3, 3.2],
    },
];

/// Pearson correlation of a chroma vector, taken from `tonic` on, with a profile; 0 where either is flat.
pub(crate) fn correlation(chroma: &[f32; 12], tonic: usize, profile: &[f32; 12]) -> f32 {
    let mean = |v: &[f32; 12]| v.iter().sum::<f32>() / 12.0;
    let (mc, mp) = (mean(chroma), mean(profile));
    let (mut cross, mut cc, mut pp) = (0.0, 0.0, 0.0);
    for (degree, p) in profile.iter().enumerate() {
        let (c, p) = (chroma[(tonic + degree) % 12] - mc, p - mp);
        cross += c * p;
        cc += c * c;
        pp += p * p;
    }
    if cc * pp > 0.0 { cross / (cc * pp).sqrt() } else { 0.0 }
}
