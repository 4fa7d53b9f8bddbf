//! The suite that every [`EventStore`] must pass, and events to fill a log with.
//!
//! `synx_log::event_store_suite!(make)` makes a test of each case; `make` returns an empty store, and something that is kept
//! until the test ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

mod events;
mod made;
pub mod suite;

pub use events::{chat, chats, created, new_event, room, user};
pub use made::{Chance, Written};

/// Makes a test of each case for the stores that `$make` returns.
#[macro_export]
macro_rules! event_store_suite {
    ($make:expr) => {
        $crate::event_store_suite!(@ $make;
            appended_events_are_read_back, a_stale_append_is_refused, a_used_event_id_is_refused,
            one_refused_append_harms_no_other, reads_are_bounded, all_are_stored_or_none,
            cursors_follow_in_order, a_lagging_cursor_reads_the_store, a_fold_equals_the_live_room,
            snapshots_are_used_only_with_their_history, audits_filter_and_page, the_latest_of_a_name_is_found,
            sound_chains_verify,
            exports_are_taken_in_elsewhere, a_closed_log_says_so, a_full_queue_refuses_at_once);
    };
    (@ $make:expr; $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (store, _kept) = $make;
                $crate::testing::suite::$case(std::sync::Arc::new(store)).await;
            }
        )+
    };
}
