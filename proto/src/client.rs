//! Following a collector.

use std::error::Error;
use std::io;
use std::time::Duration;

use lanner_core::event::{Batch, Load, NodeInfo, Text};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use crate::address::{Address, BadAddress};
use crate::v1;
use crate::v1::collector_client::CollectorClient;

/// How long an attempt to reach the collector may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a silent connection is probed, so that a peer that vanished without a word is noticed.
const PROBE: Duration = Duration::from_secs(10);

/// A place in a collector's stream, to resume from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The run of the collector that numbered the events.
    pub stream: u64,
    /// The first event that is wanted.
    pub seq: u64,
}

/// What a client wants to follow.
#[derive(Debug, Clone, Default)]
pub struct Follow {
    /// Only events that meet this condition (Falco's language); empty: all.
    pub filter: String,
    /// Where to resume, from [`Client::cursor`]; `None`: begin with a snapshot.
    pub cursor: Option<Cursor>,
}

/// Why a collector cannot be followed, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address makes no sense.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// Nobody answers.
    #[error("no collector answers at {address}: {why}")]
    Unreachable {
        /// Where.
        address: Address,
        /// Why, as the system says it, and what to do.
        why: String,
    },
    /// The filter does not compile.
    #[error("the filter is not valid: {0}")]
    Filter(String),
    /// The collector refuses, or the connection broke.
    #[error("the collector at {address} {what}")]
    Broken {
        /// Where.
        address: Address,
        /// What it did.
        what: String,
    },
}

/// A subscription to a collector. Dropping it ends it.
#[derive(Debug)]
pub struct Client {
    address: Address,
    stream: Streaming<v1::SubscribeResponse>,
    cursor: Option<Cursor>,
    load: Option<Load>,
}

impl Client {
    /// Follows all that happens at the collector from now on, after a snapshot of what lives.
    ///
    /// # Errors
    /// The address is no address, or nobody answers there.
    pub async fn connect(address: &str) -> Result<(NodeInfo, Client), ClientError> {
        Self::follow(address.parse()?, Follow::default()).await
    }

    /// Follows what `follow` says.
    ///
    /// # Errors
    /// Nobody answers, the filter is not valid, or the collector has too many clients.
    pub async fn follow(address: Address, follow: Follow) -> Result<(NodeInfo, Client), ClientError> {
        let channel = reach(&address).await?;
        let mut collector = CollectorClient::new(channel);
        let broken = |status: Status| refused(&address, &status);
        let info = collector.node_info(v1::NodeInfoRequest {}).await.map_err(broken)?.into_inner();
        let cursor = follow.cursor.map(|c| v1::Cursor { stream: c.stream, seq: c.seq });
        let request = v1::SubscribeRequest { filter: follow.filter, cursor };
        let stream = collector.subscribe(request).await.map_err(broken)?.into_inner();
        Ok((info.node.unwrap_or_default().into(), Client { address, stream, cursor: follow.cursor, load: None }))
    }

    /// The next batch; `None` when the collector has ended in good order.
    ///
    /// # Errors
    /// The connection broke. [`Client::cursor`] then tells where to resume.
    pub async fn next(&mut self) -> Result<Option<Batch>, ClientError> {
        loop {
            let message = self.stream.message().await.map_err(|status| refused(&self.address, &status))?;
            let Some(response) = message else { return Ok(None) };
            let stream = response.stream;
            self.load = response.load.map(Load::from).or(self.load);
            let Some(wire) = response.batch else { continue };
            let batch = Batch::from(wire);
            if !batch.snapshot {
                let after = batch.events.last().map_or(0, |event| event.header.seq.saturating_add(1));
                self.cursor = Some(Cursor { stream, seq: batch.first_seq.max(after) });
            }
            return Ok(Some(batch));
        }
    }

    /// How the collector itself is doing, if it has told since this was asked last.
    pub fn load(&mut self) -> Option<Load> {
        self.load.take()
    }

    /// Where to resume after the batches received so far; `None` while the snapshot is not complete.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Where the collector is.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

async fn reach(address: &Address) -> Result<Channel, ClientError> {
    let unreachable =
        |error: &(dyn Error + 'static)| ClientError::Unreachable { address: address.clone(), why: why(error) };
    Endpoint::from_shared(address.to_string())
        .map_err(|error| unreachable(&error))?
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(PROBE)
        .keep_alive_while_idle(true)
        .connect()
        .await
        .map_err(|error| unreachable(&error))
}

/// The transport's own words are only "transport error"; the system's reason is at the end of the chain.
fn why(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    loop {
        if let Some(io) = last.downcast_ref::<io::Error>() {
            return match io.kind() {
                io::ErrorKind::NotFound => "there is no such socket; start one with `sudo lannerd`".to_owned(),
                io::ErrorKind::ConnectionRefused => {
                    "nobody listens there; start a collector with `sudo lannerd`".to_owned()
                }
                io::ErrorKind::PermissionDenied => "permission denied; the socket belongs to root, try sudo".to_owned(),
                _ => io.to_string(),
            };
        }
        match last.source() {
            Some(source) => last = source,
            None => return last.to_string(),
        }
    }
}

fn refused(address: &Address, status: &Status) -> ClientError {
    let address = address.clone();
    let message = || shown(status.message());
    match status.code() {
        Code::InvalidArgument => ClientError::Filter(message()),
        Code::ResourceExhausted | Code::Unimplemented => {
            ClientError::Broken { address, what: format!("refuses: {}", message()) }
        }
        _ => {
            let why = status.source().map_or_else(message, why);
            ClientError::Broken { address, what: format!("went away: {why}") }
        }
    }
}

/// What a collector wrote, which may be anybody: on one line, safe to show, and not longer than a reason needs to be.
fn shown(message: &str) -> String {
    const MOST: usize = 1024;
    Text::from(&message[..message.floor_char_boundary(MOST)]).to_string()
}
