//! `synx log`: looks into the log of a data folder, also while a host is writing it.

use crate::args::{Log as LogArgs, LogAction};
use crate::exit::Exit;
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use synx_node::NodeError;
use synx_node::history::{AuditFilter, ChainReport, History, Which};

/// Runs the command.
pub async fn run(args: LogArgs, data_dir: &Path) -> Result<Exit, NodeError> {
    let room = args.room.as_deref();
    let history = || History::open(data_dir);
    match args.action {
        LogAction::Show { after, limit, event, json } => {
            let filter = AuditFilter { name: event, after_seq: after, limit, ..AuditFilter::default() };
            show(&history()?, room, filter, json).await
        }
        LogAction::Verify => verify(&history()?, room).await,
        LogAction::Replay { to } => {
            let replayed = history()?.replay(room, to).await?;
            println!("{}", serde_json::to_string_pretty(&replayed).unwrap_or_default());
            Ok(Exit::Done)
        }
        LogAction::Export => {
            history()?.export(room, std::io::stdout()).await?;
            Ok(Exit::Done)
        }
        LogAction::Import { file } => {
            let taken = synx_node::history::import(data_dir, reading(&file)?).await?;
            println!("{taken} new events");
            Ok(Exit::Done)
        }
        LogAction::Archive { older_than, keep_events } => {
            let all_but = Which::AllBut(keep_events.unwrap_or_default());
            let which = older_than.map_or(all_but, Which::OlderThanDays);
            let moved = synx_node::history::archive(data_dir, room, which).await?;
            println!("{moved} events are in the archive now");
            Ok(Exit::Done)
        }
        LogAction::Drop { through, for_good: _ } => {
            match synx_node::history::drop_archive(data_dir, room, through).await? {
                0 => println!(
                    "nothing was dropped: no whole segment of the archive ends at or before event {through}"
                ),
                last => println!("dropped up to event {last}"),
            }
            Ok(Exit::Done)
        }
        LogAction::Backup { file } => Ok(report(&history()?.backup(&file).await?)),
        LogAction::Restore { file } => {
            let (reports, before) = synx_node::history::restore(data_dir, &file).await?;
            if let Some(before) = before {
                println!("the log that was here is now {}", before.display());
            }
            Ok(report(&reports))
        }
    }
}

fn reading(file: &Path) -> Result<Box<dyn BufRead + Send>, NodeError> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = File::open(file).map_err(|source| NodeError::File {
        action: "read",
        path: file.to_owned(),
        source,
    })?;
    Ok(Box::new(BufReader::new(opened)))
}

async fn show(
    history: &History,
    room: Option<&str>,
    filter: AuditFilter,
    json: bool,
) -> Result<Exit, NodeError> {
    for entry in history.audit(room, filter).await? {
        let time = synx_node::history::utc(entry.occurred_at_ms);
        if json {
            let data: serde_json::Value = serde_json::from_str(&entry.data).unwrap_or_default();
            let line = json!({"log_seq": entry.log_seq, "room_id": entry.room_id, "seq": entry.seq, "name": entry.name,
                              "actor": entry.actor, "at": time, "data": data});
            println!("{line}");
        } else {
            println!("{:>6}  {time}  {:<30} {}", entry.log_seq, entry.name, entry.data);
        }
    }
    Ok(Exit::Done)
}

async fn verify(history: &History, room: Option<&str>) -> Result<Exit, NodeError> {
    Ok(report(&history.verify(room).await?))
}

fn report(reports: &[ChainReport]) -> Exit {
    let mut exit = Exit::Done;
    if reports.is_empty() {
        println!("no rooms in this log");
    }
    for report in reports {
        match &report.first_bad {
            None => println!("{}  sound: {} events, head {}", report.room_id, report.events, report.hash),
            Some(bad) => {
                println!(
                    "{}  DAMAGED at event {}: {:?}; {} events before it are sound",
                    report.room_id, bad.seq, bad.fault, report.events
                );
                exit = Exit::LogDamaged;
            }
        }
    }
    exit
}
