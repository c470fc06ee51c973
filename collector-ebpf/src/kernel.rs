//! Typed access to the kernel's structures. Every struct of `kernel_fields!` is a copyable address here, with a method
//! for each of its fields. Reading through a null or stale address gives zeros, so chains of reads need no checks.

#![allow(non_camel_case_types)]

use core::marker::PhantomData;
use core::ptr;

use aya_ebpf::helpers::{bpf_get_current_task, generated};
use lanner_collector_abi::{MISSING, Offsets, kernel_fields};

/// Filled in by the loader from the running kernel's BTF.
// SAFETY: no other symbol of this name exists.
#[unsafe(no_mangle)]
static OFFSETS: Offsets = Offsets::UNRESOLVED;

/// A place in kernel memory.
pub trait Place: Copy {
    fn at(address: u64) -> Self;
}

/// How a field of some type is read: an integer by value, `Ptr<T>` as the `T` it points to, `At<T>` as the `T` there.
pub trait Read {
    type Out;
    fn read(address: u64, offset: u32) -> Self::Out;
}

pub struct Ptr<T>(PhantomData<T>);
pub struct At<T>(PhantomData<T>);
pub struct Const;

/// Reads an integer at a kernel address; 0 when there is nothing.
#[inline(always)]
pub fn probe<T: Default>(address: u64) -> T {
    let mut value = T::default();
    // SAFETY: the destination is a live local of the size given; the kernel checks the source and zeroes the
    // destination when it cannot be read.
    unsafe {
        generated::bpf_probe_read_kernel((&raw mut value).cast(), size_of::<T>() as u32, address as *const _);
    }
    value
}

macro_rules! integers {
    ($($ty:ty),*) => { $(
        impl Read for $ty {
            type Out = $ty;
            #[inline(always)]
            fn read(address: u64, offset: u32) -> $ty {
                if offset == MISSING { 0 } else { probe(address.wrapping_add(u64::from(offset))) }
            }
        }
    )* };
}
integers!(u8, u16, u32, u64);

impl<T: Place> Read for Ptr<T> {
    type Out = T;
    #[inline(always)]
    fn read(address: u64, offset: u32) -> T {
        T::at(u64::read(address, offset))
    }
}

impl<T: Place> Read for At<T> {
    type Out = T;
    #[inline(always)]
    fn read(address: u64, offset: u32) -> T {
        T::at(if offset == MISSING { 0 } else { address.wrapping_add(u64::from(offset)) })
    }
}

impl Read for Const {
    type Out = u32;
    #[inline(always)]
    fn read(_: u64, offset: u32) -> u32 {
        offset
    }
}

macro_rules! accessors {
    ($($of:ident { $($name:ident: $ty:ty = $($path:literal)|+ $(else $without:literal)?;)* })*) => { $(
        #[derive(Clone, Copy)]
        pub struct $of {
            pub address: u64,
        }

        impl Place for $of {
            #[inline(always)]
            fn at(address: u64) -> Self {
                $of { address }
            }
        }

        #[allow(dead_code)]
        impl $of {
            #[inline(always)]
            pub fn is_null(self) -> bool {
                self.address == 0
            }

            $(
                #[inline(always)]
                pub fn $name(self) -> <$ty as Read>::Out {
                    // SAFETY: reads one word of a static. Volatile, for the compiler must not believe the value that
                    // the object was built with.
                    let offset = unsafe { ptr::read_volatile(&raw const OFFSETS.$of.$name) };
                    <$ty as Read>::read(self.address, offset)
                }
            )*
        }
    )* };
}
kernel_fields!(accessors);

/// Whether this kernel has a field.
macro_rules! has {
    ($($name:ident: $of:ident.$field:ident),*) => { $(
        impl $of {
            #[inline(always)]
            pub fn $name(self) -> bool {
                // SAFETY: reads one word of a static; volatile, for the loader overrides it.
                unsafe { ptr::read_volatile(&raw const OFFSETS.$of.$field) != MISSING }
            }
        }
    )* };
}
has!(has_loginuid: task_struct.loginuid, has_flags: io_open.flags, has_sent: tcp_sock.sent, has_next: tcp_sock.next);

impl task_struct {
    /// The thread that runs now.
    #[inline(always)]
    pub fn current() -> Self {
        // SAFETY: the helper takes nothing and returns an address that is only ever read through `probe`.
        task_struct::at(unsafe { bpf_get_current_task() })
    }
}

/// Makes a plain number of a pointer that the verifier tracks: it would watch what is computed from it.
#[inline(always)]
pub fn launder(pointer: u64) -> u64 {
    let slot = pointer;
    probe(&raw const slot as u64)
}
