//! The playback engine: plays a track so that each sample is heard at its room time.
