//! How the kernel gives memory.

/// From now on this program gets memory in small pages. In huge ones it is given 2 MiB at a time where a frame first touches
/// it, and the frame waits until all of that is zeroed: 5 ms where the memory of a virtual machine comes from its host. In small
/// ones less of it is resident, too. What is searched through lies on more pages then: a jump in time takes up to a quarter
/// longer where very much is known.
///
/// A kernel that knows of no huge pages has none to keep away.
pub fn in_small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
