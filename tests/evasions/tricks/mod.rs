//! A file for each trick.

use crate::trick::Trick;

macro_rules! tricks {
    ($($name:ident)*) => {
        $(mod $name;)*

        /// All of them, in the order of the table.
        pub(crate) const ALL: &[Trick] = &[$($name::TRICK),*];
    };
}

tricks! {
    dev_shm
    argv0
    no_arguments
    deleted
    never_named
    memory
    linked_name
    relative_path
    through_proc
    by_folder
    openat2
    interpreter
    script
    double_fork
    thread_exec
    own_mounts
    other_root
    inner_pids
    failed_connect
    hard_link
    renamed
    loader
    vfork_orphan
    clone3
    bound_name
    copied_within
    spliced
    moved_session
    abstract_socket
    runtime_socket
    sniffer
    data_in_syn
    data_to_nowhere
    reverse_shell
    injected
    traced
    memory_file
    stolen_descriptor
    moved_mount
    became_another
    kernel_module
    kernel_map
    killed
    by_handle
    chained_roots
    emptied
    moved_manifest
    preload
    kernels_name
    sealed
    ring
    ring_connect
    ring_table
    ring_runtime_socket
    ring_sniffer
    ring_silent
    set_user
    other_numbers
    narrow_mount
    narrow_setns
    narrow_unlink
    narrow_memory
    narrow_ptrace
    script_in_memory
}
