//! The mono mix: the mean of all channels.

/// Appends the mono mix of whole interleaved frames to `out`.
pub fn mix_to_mono(interleaved: &[f32], channels: usize, out: &mut Vec<f32>) {
    let start = out.len();
    out.resize(start + interleaved.len() / channels.max(1), 0.0);
    let mono = &mut out[start..];
    match channels {
        0 => {}
        1 => mono.copy_from_slice(interleaved),
        2 => {
            for (to, [left, right]) in mono.iter_mut().zip(interleaved.as_chunks().0) {
                *to = (left + right) * 0.5;
            }
        }
        n => {
            let scale = 1.0 / n as f32;
            for (to, frame) in mono.iter_mut().zip(interleaved.chunks_exact(n)) {
                *to = frame.iter().sum::<f32>() * scale;
            }
        }
    }
}
