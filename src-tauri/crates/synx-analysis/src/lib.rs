//! Tempo, beats, key and energy of a track.
