//! Decode, tags, waveform peaks and loudness of audio files.
