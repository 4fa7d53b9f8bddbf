//! Room time estimated from probes; pure.
