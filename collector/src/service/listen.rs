//! The socket that clients come to.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use lanner_proto::address::Address;
use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};

/// Where a collector listens.
#[derive(Debug)]
pub struct Listener {
    pub(super) incoming: Incoming,
    /// A Unix socket's file: it is there as long as someone listens.
    pub(super) file: Option<SocketFile>,
    address: Address,
}

#[derive(Debug)]
pub(super) enum Incoming {
    Unix(UnixListenerStream),
    Loopback(TcpListenerStream),
}

/// Why a collector cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another process listens there.
    #[error("{0} is in use: another collector listens there; stop it, or choose another address with --listen")]
    InUse(Address),
    /// There is a file that is no socket.
    #[error("{0} exists and is no socket; remove it, or choose another address with --listen")]
    NoSocket(PathBuf),
    /// The system refuses.
    #[error("cannot listen at {address}: {source}")]
    Io {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
}

impl Listener {
    /// Begins to listen; must be called in a tokio runtime. A Unix socket is for its owner only (mode 0600), and so is
    /// its folder when this makes it (0700). A socket that a dead collector left behind is replaced.
    ///
    /// # Errors
    /// The address is in use, or the system refuses.
    pub async fn bind(address: &Address) -> Result<Listener, ListenError> {
        let refused = |source| ListenError::Io { address: address.clone(), source };
        match address {
            Address::Unix(path) => {
                clear(path, address)?;
                let (listener, file) = bind_unix(path).map_err(refused)?;
                Ok(Listener {
                    incoming: Incoming::Unix(UnixListenerStream::new(listener)),
                    file: Some(file),
                    address: address.clone(),
                })
            }
            Address::Loopback(socket) => {
                let listener = TcpListener::bind(socket).await.map_err(|source| match source.kind() {
                    io::ErrorKind::AddrInUse => ListenError::InUse(address.clone()),
                    _ => refused(source),
                })?;
                let address = Address::Loopback(listener.local_addr().map_err(refused)?);
                let incoming = Incoming::Loopback(TcpListenerStream::new(listener));
                Ok(Listener { incoming, file: None, address })
            }
        }
    }

    /// Where it listens; for TCP with the port that the system chose when 0 was asked for.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// Makes sure that nobody listens at `path`, and that nothing but a socket is replaced there.
fn clear(path: &Path, address: &Address) -> Result<(), ListenError> {
    let refused = |source| ListenError::Io { address: address.clone(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(error)),
        Ok(found) if !found.file_type().is_socket() => return Err(ListenError::NoSocket(path.to_owned())),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ListenError::InUse(address.clone())),
        // Nobody accepts: whoever made it is gone.
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(()),
        Err(error) => Err(refused(error)),
    }
}

fn bind_unix(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Under another name until nobody else may connect to it; the rename replaces a dead collector's socket. The name
    // is short because a socket's path may have 107 bytes at most.
    let hidden = folder.join(format!(".l{}", std::process::id()));
    // One that died between these lines had the same pid: in a container that is no rare thing.
    let _ = fs::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden)?;
    let bound = SocketFile::of(hidden)?;
    fs::set_permissions(&bound.path, Permissions::from_mode(0o600))?;
    fs::rename(&bound.path, path)?;
    Ok((listener, SocketFile { path: path.to_owned(), id: bound.id }))
}

/// The file of a Unix socket, removed when this is dropped, unless another one has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    id: (u64, u64),
}

impl SocketFile {
    fn of(path: PathBuf) -> io::Result<Self> {
        let found = fs::symlink_metadata(&path)?;
        Ok(SocketFile { id: (found.dev(), found.ino()), path })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.id);
        if ours {
            // A file that stays is replaced by the next collector.
            let _ = fs::remove_file(&self.path);
        }
    }
}
