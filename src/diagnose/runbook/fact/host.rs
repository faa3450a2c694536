//! Facts of the hosts and containers, from what exporters beside the server know and `PostgreSQL` does not.

use super::super::super::rule::Look;
use super::super::super::service::Read;
use super::super::super::sight::{ANY_HOST, NODE_EXPORTER};
use super::super::super::{disk, host, memory};
use super::service::panel;
use super::{Known, Unknown, Value, sessions};
use crate::model::ServerText;
use crate::model::panel::{PanelAnswer, Reading};

/// A panel of the server's own hosts, or why there is none, with what would bring it.
fn of_hosts<'a>(look: &Look<'a>, id: &str) -> Result<Read<'a>, Unknown> {
    panel(look, id).map_err(|unknown| {
        let reading = look.world.panels.get(id).and_then(|l| l.get()).map(|answer: &PanelAnswer| &answer.reading);
        match reading {
            Some(Reading::NoSeries) => Unknown { cure: NODE_EXPORTER.to_owned(), ..unknown },
            Some(Reading::Values { .. }) if unknown.cure.is_empty() => Unknown::of(ANY_HOST, NODE_EXPORTER),
            Some(Reading::Values { .. } | Reading::NotANumber { .. }) | None => unknown,
        }
    })
}

/// The worst of them now, with its name.
fn worst(look: &Look<'_>, id: &str) -> Known {
    let found = of_hosts(look, id)?;
    let is_worst = |v: f64| (v - found.value).abs() < f64::EPSILON;
    let series = found.series.iter().find(|s| found.current(s).is_some_and(is_worst));
    let name = series.map_or_else(String::new, |s| ServerText::from(s.name.as_str()).head(60));
    Ok(Value::of(found.value, found.seen).note(format!("{name}, {}", found.source())))
}

pub fn disk_free(look: &Look<'_>) -> Known {
    worst(look, "disk-free")
}

pub fn disk_used(look: &Look<'_>) -> Known {
    worst(look, "disk-used")
}

pub fn disk_full_in(look: &Look<'_>) -> Known {
    let found = of_hosts(look, "disk-free")?;
    Ok(match disk::full_first(&found) {
        Some((name, seconds)) => Value::of(seconds, found.seen).note(ServerText::from(name).head(60)),
        None => Value::of(f64::INFINITY, found.seen).note("no disk falls steadily"),
    })
}

pub fn memory_used(look: &Look<'_>) -> Known {
    worst(look, memory::USED)
}

pub fn oom_kills(look: &Look<'_>) -> Known {
    let found = of_hosts(look, memory::KILLS)?;
    let kills = found.series.iter().filter_map(memory::Kills::of).fold(0.0, |all, kills| all + kills.count);
    Ok(Value::of(kills, found.seen).note(format!("in the last {:.0} min", memory::KILLED_S / 60.0)))
}

pub fn cpu_used(look: &Look<'_>) -> Known {
    worst(look, host::USED)
}

pub fn cpu_waiting(look: &Look<'_>) -> Known {
    worst(look, host::CORE_WAITS)
}

pub fn io_waiting(look: &Look<'_>) -> Known {
    worst(look, host::IO)
}

pub fn disk_time(look: &Look<'_>) -> Known {
    worst(look, host::DISKS)
}

pub fn cores(look: &Look<'_>) -> Known {
    let found = of_hosts(look, host::CORES)?;
    let own = host::own(look, found.series).ok_or_else(|| {
        let why = "which of several hosts is this server's is not known";
        Unknown::of(why, "connect by the name that Prometheus has for it")
    })?;
    let cores = found.current(own).ok_or_else(|| Unknown::of("no value now: the series ended", ""))?;
    Ok(Value::of(cores, found.seen).note(ServerText::from(own.name.as_str()).head(60)))
}

pub fn sessions_per_core(look: &Look<'_>) -> Known {
    let (cores, running) = (cores(look)?, sessions::on_processor(look)?);
    let note = format!("{} on {} cores", running.figure, cores.figure);
    Ok(Value { figure: running.figure / cores.figure.max(1.0), ..running }.note(note))
}
