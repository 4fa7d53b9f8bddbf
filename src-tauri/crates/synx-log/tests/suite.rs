//! All stores pass the suite.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod memory {
    synx_log::event_store_suite!((synx_log::MemoryStore::new(), ()));
}

mod shared {
    synx_log::event_store_suite!((synx_log::SharedStore::new(), ()));
}

mod sqlite {
    use synx_log::{Access, SqliteStore};

    fn make() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("log.db"), Access::ReadWrite).unwrap();
        (store, folder)
    }

    synx_log::event_store_suite!(make());
}
