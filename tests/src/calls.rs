//! Programs that make system calls and nothing else, written without a compiler: the same calls as a 64-bit program of x86
//! makes them, as a 32-bit one does, and as a 64-bit one does by the 32-bit entry.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::{fs, io};

/// Which kind of program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 64 bits.
    Wide,
    /// 32 bits.
    Narrow,
    /// 64 bits, calling by `int 0x80`, with something in the upper halves of registers, of which the kernel takes no notice.
    Mixed,
}

/// An argument.
#[derive(Debug, Clone)]
pub enum Arg {
    /// A number.
    Int(u32),
    /// The address of a string.
    Text(String),
    /// The address of these bytes.
    Bytes(Vec<u8>),
    /// The address of room for 128 bytes, the same for every call that names it. There are [`ROOMS`].
    Room(u32),
    /// What the call with this place in the list has returned.
    Result(usize),
    /// The address of a list of numbers, addresses and results, four bytes each: what socketcall takes.
    List(Vec<Arg>),
}

/// Numbers of [`Arg::Room`].
pub const ROOMS: u32 = 4;

/// A call: its 64-bit number, its 32-bit one, and what it is given.
#[derive(Debug, Clone)]
pub struct Call(pub u32, pub u32, pub Vec<Arg>);

impl From<u32> for Arg {
    fn from(number: u32) -> Self {
        Arg::Int(number)
    }
}

impl From<i32> for Arg {
    fn from(number: i32) -> Self {
        Arg::Int(number.cast_unsigned())
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Arg::Text(text.to_owned())
    }
}

/// Where programs lie: 32 bits reach there.
const BASE: u32 = 0x0040_0000;
/// Code, data, results and rooms, each at its place.
const CODE: u32 = 0x100;
const RESULTS: u32 = 0x6000;
const ROOM: u32 = 0x7000;
const ROOM_SIZE: u32 = 128;
const DATA: u32 = 0x8000;
const SIZE: u32 = 0x2_0000;
/// What a 32-bit call makes nothing of.
const LITTER: u64 = 0xdead_beef_0000_0000;

/// Writes what [`program`] makes, where nobody else starts programs meanwhile: see [`crate::executable`].
pub fn write(path: &Path, machine: Machine, calls: &[Call]) -> io::Result<()> {
    fs::write(path, program(machine, calls))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// A program that makes these calls, whatever they return, and ends with status 0.
pub fn program(machine: Machine, calls: &[Call]) -> Vec<u8> {
    let mut program = Program { machine, code: Vec::new(), data: Vec::new() };
    for (at, call) in calls.iter().enumerate() {
        program.call(call);
        program.keep(RESULTS + at as u32 * 8);
    }
    program.call(&Call(60, 1, vec![Arg::Int(0)]));
    assert!(program.code.len() <= (RESULTS - CODE) as usize, "the code fits");
    assert!(program.data.len() <= (SIZE - DATA) as usize, "the data fits");
    let mut file = headers(machine);
    file.resize(CODE as usize, 0);
    file.extend(&program.code);
    file.resize(DATA as usize, 0);
    file.extend(&program.data);
    file.resize(SIZE as usize, 0);
    file
}

struct Program {
    machine: Machine,
    code: Vec<u8>,
    data: Vec<u8>,
}

/// A value, or where it will be.
enum Value {
    Known(u32),
    At(u32),
}

impl Program {
    fn call(&mut self, call: &Call) {
        let Call(wide, narrow, arguments) = call;
        // As the processor numbers them: rdi rsi rdx r10 r8 r9, or ebx ecx edx esi edi ebp.
        let registers: [u8; 6] = if self.machine == Machine::Wide { [7, 6, 2, 10, 8, 9] } else { [3, 1, 2, 6, 7, 5] };
        let values: Vec<Value> = arguments.iter().map(|argument| self.value(argument)).collect();
        for (value, register) in values.into_iter().zip(registers) {
            self.load(register, &value);
        }
        self.code.push(0xb8);
        self.word(if self.machine == Machine::Wide { *wide } else { *narrow });
        self.code.extend(if self.machine == Machine::Wide { [0x0f, 0x05] } else { [0xcd, 0x80] });
    }

    fn load(&mut self, register: u8, value: &Value) {
        let (low, high) = (register & 7, register >> 3);
        match (self.machine, value) {
            (Machine::Narrow, Value::Known(number)) => {
                self.code.push(0xb8 + low);
                self.word(*number);
            }
            (machine, Value::Known(number)) => {
                self.code.extend([0x48 | high, 0xb8 + low]);
                // Numbers below zero, such as descriptors, are so with 64 bits too.
                let wide = i64::from(number.cast_signed()).cast_unsigned();
                let litter = LITTER | u64::from(*number);
                self.code.extend((if machine == Machine::Mixed { litter } else { wide }).to_le_bytes());
            }
            (Machine::Narrow, Value::At(at)) => {
                self.code.extend([0x8b, low << 3 | 5]);
                self.word(*at);
            }
            (_, Value::At(at)) => {
                self.code.extend([0x48 | high << 2, 0x8b, low << 3 | 4, 0x25]);
                self.word(*at);
            }
        }
    }

    /// Keeps a result.
    fn keep(&mut self, at: u32) {
        if self.machine == Machine::Narrow {
            self.code.push(0xa3);
        } else {
            self.code.extend([0x48, 0x89, 0x04, 0x25]);
        }
        self.word(BASE + at);
    }

    fn value(&mut self, argument: &Arg) -> Value {
        match argument {
            Arg::Int(number) => Value::Known(*number),
            Arg::Text(text) => Value::Known(self.put([text.as_bytes(), b"\0"].concat())),
            Arg::Bytes(bytes) => Value::Known(self.put(bytes.clone())),
            Arg::Room(n) => Value::Known(BASE + ROOM + n % ROOMS * ROOM_SIZE),
            Arg::Result(call) => Value::At(BASE + RESULTS + *call as u32 * 8),
            Arg::List(elements) => {
                let at = self.put(vec![0; elements.len() * 4]);
                for (n, element) in elements.iter().enumerate() {
                    let value = self.value(element);
                    self.load(0, &value);
                    // mov [at + 4 n], eax
                    self.code.extend(if self.machine == Machine::Narrow { &[0xa3][..] } else { &[0x89, 0x04, 0x25] });
                    self.word(at + n as u32 * 4);
                }
                Value::Known(at)
            }
        }
    }

    /// Puts bytes among the data; where.
    fn put(&mut self, bytes: Vec<u8>) -> u32 {
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        let at = BASE + DATA + self.data.len() as u32;
        self.data.extend(bytes);
        at
    }

    fn word(&mut self, word: u32) {
        self.code.extend(word.to_le_bytes());
    }
}

/// An ELF file with one segment, which may be read, written and run.
fn headers(machine: Machine) -> Vec<u8> {
    let half = |n: u16| n.to_le_bytes().to_vec();
    let word = |n: u32| n.to_le_bytes().to_vec();
    let long = |n: u32| u64::from(n).to_le_bytes().to_vec();
    if machine == Machine::Narrow {
        return [
            b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
            [half(2), half(3), word(1), word(BASE + CODE), word(52), word(0), word(0)].concat(),
            [half(52), half(32), half(1), half(0), half(0), half(0)].concat(),
            [word(1), word(0), word(BASE), word(BASE), word(SIZE), word(SIZE), word(7), word(4096)].concat(),
        ]
        .concat();
    }
    [
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        [half(2), half(62), word(1), long(BASE + CODE), long(64), long(0), word(0)].concat(),
        [half(64), half(56), half(1), half(64), half(0), half(0)].concat(),
        [word(1), word(7), long(0), long(BASE), long(BASE), long(SIZE), long(SIZE), long(4096)].concat(),
    ]
    .concat()
}
