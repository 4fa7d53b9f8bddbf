//! What the page does at each frame that it is given: scrolling the table, and drawing the waveform.

use serde_json::Value;
use std::path::Path;
use synx_system_tests::demo_track;
use synx_system_tests::window::{Display, Window};

const ENTER: &str = "\u{E007}";
const MEASURED_MS: u32 = 5_000;
/// What a turn of the wheel moves, and what a pull of the scroll bar does.
const SCROLLS: [(&str, u32); 2] = [("by the wheel", 120), ("by the bar", 12_000)];

/// Gives the person of this folder a name, if there is none, and measures if it is `wanted`.
pub async fn pages(display: &Display, data_dir: &Path, wanted: bool) {
    let window = Window::open(display, data_dir).await;
    window
        .until("the app", "document.querySelector('[data-testid=first-run-name], [data-testid=nav-library]')")
        .await;
    if window.value("!!document.querySelector('[data-testid=first-run-name]')").await == Value::Bool(true) {
        window.fill("first-run-name", "Ana").await;
        window.click("first-run-go").await;
    }
    window.find("library-row").await;
    if wanted {
        window.resize(1280, 800).await;
        for (how, step_px) in SCROLLS {
            scroll(&window, how, step_px).await;
        }
        waveform(&window).await;
    }
    window.close().await;
}

/// Runs `step` at each frame for a while; what `step` returns is added up.
async fn frames(window: &Window, what: &str, step: &str) {
    let script = format!(
        "const times = []; let sum = 0, start, last;
         const step = {step};
         const frame = (now) => {{
           start ??= now;
           if (last !== undefined) times.push(now - last);
           last = now;
           sum += step() ?? 0;
           if (now - start < {MEASURED_MS}) requestAnimationFrame(frame);
           else done({{ times, sum, seconds: (now - start) / 1000 }});
         }};
         requestAnimationFrame(frame);"
    );
    let measured = window.measured(&script).await;
    let mut ms: Vec<f64> = measured["times"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    ms.sort_by(f64::total_cmp);
    let at = |share: f64| ms[((ms.len() - 1) as f64 * share) as usize];
    println!(
        "{{\"what\":{what:?},\"frames_per_s\":{:.1},\"median_ms\":{:.1},\"p99_ms\":{:.1},\"max_ms\":{:.1},\"sum\":{}}}",
        ms.len() as f64 / measured["seconds"].as_f64().unwrap(),
        at(0.5),
        at(0.99),
        at(1.0),
        measured["sum"]
    );
}

async fn scroll(window: &Window, how: &str, step_px: u32) {
    let step = format!(
        "() => {{
           document.querySelector('[role=grid]').scrollTop += {step_px};
           return document.querySelector('[data-testid=library-row-coming]') ? 1 : 0;
         }}"
    );
    frames(window, &format!("scrolled {how}; sum: frames with rows still to come"), &step).await;
}

async fn waveform(window: &Window) {
    window.click("open-files").await;
    window.fill("open-path", demo_track("paper-lantern.flac").to_str().unwrap()).await;
    window.press("open-path", ENTER).await;
    let ready = "document.querySelector('[data-testid=waveform]')?.dataset.state === 'ready'";
    window.until("the waveform", ready).await;
    frames(window, "a track plays, shown whole", "() => 0").await;
    let wheel = |more: &str| {
        format!(
            "() => document.querySelector('[data-testid=waveform] .field')
               .dispatchEvent(new WheelEvent('wheel', {{ cancelable: true, {more} }})) && 0"
        )
    };
    for _ in 0..4 {
        window.value(&format!("({})()", wheel("deltaY: -200"))).await;
    }
    frames(window, "a track plays, shown close", "() => 0").await;
    frames(window, "the picture moves with every frame", &wheel("deltaX: sum++ % 200 < 100 ? 3 : -3")).await;
    // As every other measure shall find it.
    window.click("play").await;
    window.until("paused", "document.querySelector('[data-testid=play]')?.dataset.state === 'paused'").await;
}
