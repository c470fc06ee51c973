//! A collector on whose node nothing happens but that time passes.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use lanner_collector::hub::{Hub, Limits, Polled, Source, SourceError};
use lanner_collector::service::{Listener, serve};
use lanner_core::event::{BootTime, Event, NodeInfo};
use lanner_proto::address::Address;
use tempfile::TempDir;
use tokio::sync::oneshot;

struct Silence(Instant);

impl Source for Silence {
    fn poll(&mut self, _: &mut Vec<Event>) -> Result<Polled, SourceError> {
        Ok(Polled { now: BootTime(3_600_000_000_000).after(self.0.elapsed()), losses: Vec::new() })
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError> {
        self.poll(events)
    }
}

/// It is at work until this is dropped.
pub(crate) struct Collector {
    address: String,
    end: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Collector {
    pub(crate) fn start() -> io::Result<Collector> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("quiet.sock");
        let node = NodeInfo { name: "quiet".to_owned(), boot_id: "quiet".to_owned(), ..NodeInfo::default() };
        let hub = Arc::new(Hub::start(Silence(Instant::now()), node, Limits::default())?);
        let (end, ended) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let address = format!("unix://{}", socket.display());
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = Listener::bind(&Address::Unix(socket)).await.unwrap();
                ready.send(()).unwrap();
                let over = async {
                    let _ = ended.await;
                };
                tokio::select! {
                    served = serve(hub, listener, std::future::pending()) => served.unwrap(),
                    () = over => {}
                }
            });
        });
        is_ready.recv().map_err(io::Error::other)?;
        Ok(Collector { address, end: Some(end), serving: Some(serving), _folder: folder })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.end.take();
        self.serving.take().map(JoinHandle::join);
    }
}
