//! What processes take of the machine.

/// Ticks of the kernel's process times: a second has 100 on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// Processor time of a process so far, in seconds; none where the system does not tell.
pub fn cpu_s(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS_PER_S
}
