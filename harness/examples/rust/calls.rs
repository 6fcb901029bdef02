//! calls PROFILE CALL...: what becomes of calls under a filter or profile, on x86_64. Exit code 1: one is not executed;
//! 2: the profile or a call cannot be read, or the kernel would refuse the filter.

use std::ffi::{CStr, CString};
use std::io::Error;
use std::mem::size_of;
use std::os::raw::{c_char, c_int, c_void};
use std::ptr::{null, null_mut};

/// What is needed of callgate_tools.h, as it stands there.
mod callgate {
    use super::*;

    #[repr(C)]
    pub struct Data {
        pub nr: i32,
        pub arch: u32,
        pub instruction_pointer: u64,
        pub args: [u64; 6],
    }

    #[repr(C)]
    pub struct LoadOptions {
        pub size: usize,
        pub kernel: *const c_char,
        pub arch: *const c_char,
        pub input_format: *const c_char,
        pub caps: *const c_char,
        pub runtime: *const c_char,
        pub systemd: *const c_char,
        pub denylist: c_int,
    }

    #[repr(C)]
    pub struct Options {
        pub size: usize,
        pub engine: *const c_char,
        pub kernel: *const c_char,
        pub arch: *const c_char,
        pub jit_harden: c_int,
    }

    #[repr(C)]
    pub struct Verdict {
        pub size: usize,
        pub known: c_int,
        pub value: u32,
        pub exempt: c_int,
        pub winner: usize,
        pub instruction: usize,
        pub executed: usize,
        pub outcome: c_int,
        pub returns: i64,
        pub signal: c_int,
        pub data: u16,
        pub core_dump: c_int,
        pub logged: c_int,
        pub reason: *const c_char,
    }

    pub const EXECUTES: c_int = 0;

    extern "C" {
        pub fn callgate_text_free(text: *mut c_char);
        pub fn callgate_call_read(
            text: *const c_char,
            arch: *const c_char,
            out: *mut Data,
            message: *mut *mut c_char,
        ) -> c_int;
        pub fn callgate_filters_load(
            path: *const c_char,
            options: *const LoadOptions,
            out: *mut *mut c_void,
            message: *mut *mut c_char,
        ) -> c_int;
        pub fn callgate_filters_destroy(filters: *mut c_void);
        pub fn callgate_stack_of(
            filters: *const c_void,
            options: *const Options,
            out: *mut *mut c_void,
            message: *mut *mut c_char,
        ) -> c_int;
        pub fn callgate_stack_decide(
            stack: *const c_void,
            data: *const Data,
            around: *const c_void,
            out: *mut Verdict,
        ) -> c_int;
        pub fn callgate_value_words(stack: *const c_void, value: u32, out: *mut *mut c_char) -> c_int;
        pub fn callgate_stack_destroy(stack: *mut c_void);
    }
}

/// A text that the library gave away.
fn taken(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    let copy = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    unsafe { callgate::callgate_text_free(text) };
    Some(copy)
}

/// What a function returned, with the message that it gave.
fn checked(what: &str, number: c_int, message: *mut c_char) -> Result<(), String> {
    let message = taken(message);
    if number == 0 {
        return Ok(());
    }
    let reason = message.unwrap_or_else(|| Error::from_raw_os_error(number).to_string());
    Err(format!("{}: {}", what, reason))
}

fn c_text(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|error| error.to_string())
}

/// Filters, installed on x86_64 under the newest kernel.
struct Stack(*mut c_void);

impl Drop for Stack {
    fn drop(&mut self) {
        unsafe { callgate::callgate_stack_destroy(self.0) };
    }
}

impl Stack {
    fn load(path: &str) -> Result<Stack, String> {
        let (name, arch) = (c_text(path)?, c_text("x86_64")?);
        let options = callgate::LoadOptions {
            size: size_of::<callgate::LoadOptions>(),
            kernel: null(),
            arch: arch.as_ptr(),
            input_format: null(),
            caps: null(),
            runtime: null(),
            systemd: null(),
            denylist: 0,
        };
        let machine = callgate::Options {
            size: size_of::<callgate::Options>(),
            engine: null(),
            kernel: null(),
            arch: arch.as_ptr(),
            jit_harden: 0,
        };
        let (mut filters, mut stack, mut message) = (null_mut(), null_mut(), null_mut());
        let number =
            unsafe { callgate::callgate_filters_load(name.as_ptr(), &options, &mut filters, &mut message) };
        checked(path, number, message)?;
        let number = unsafe { callgate::callgate_stack_of(filters, &machine, &mut stack, &mut message) };
        unsafe { callgate::callgate_filters_destroy(filters) };
        checked(path, number, message)?;
        Ok(Stack(stack))
    }

    /// Prints what becomes of a call, and says whether it is executed.
    fn decide(&self, call: &str) -> Result<bool, String> {
        let (text, arch) = (c_text(call)?, c_text("x86_64")?);
        let mut data = callgate::Data { nr: 0, arch: 0, instruction_pointer: 0, args: [0; 6] };
        let mut message = null_mut();
        let number =
            unsafe { callgate::callgate_call_read(text.as_ptr(), arch.as_ptr(), &mut data, &mut message) };
        checked(call, number, message)?;
        let mut verdict: callgate::Verdict = unsafe { std::mem::zeroed() };
        verdict.size = size_of::<callgate::Verdict>();
        let number = unsafe { callgate::callgate_stack_decide(self.0, &data, null(), &mut verdict) };
        checked(call, number, null_mut())?;
        let mut value = null_mut();
        if verdict.known != 0 {
            let number = unsafe { callgate::callgate_value_words(self.0, verdict.value, &mut value) };
            checked(call, number, null_mut())?;
        }
        let value = taken(value).map_or(String::new(), |words| words + ", ");
        println!("{}: {}{}", call, value, words(&verdict));
        Ok(verdict.outcome == callgate::EXECUTES)
    }
}

fn words(verdict: &callgate::Verdict) -> String {
    match verdict.outcome {
        callgate::EXECUTES => "executes".to_string(),
        1 => format!("returns {}", verdict.returns),
        2 => format!("signal {} is delivered", verdict.signal),
        3 => format!("its thread dies by signal {}", verdict.signal),
        4 => format!("its process dies by signal {}", verdict.signal),
        5 => "a tracer decides".to_string(),
        6 => "a listener decides".to_string(),
        _ if verdict.reason.is_null() => "unknown".to_string(),
        _ => {
            let reason = unsafe { CStr::from_ptr(verdict.reason) };
            format!("unknown, because {}", reason.to_string_lossy())
        }
    }
}

fn run() -> Result<i32, String> {
    let words: Vec<String> = std::env::args().collect();
    if words.len() < 3 {
        return Err("usage: calls PROFILE CALL...".to_string());
    }
    let stack = Stack::load(&words[1])?;
    let mut worst = 0;
    for call in &words[2..] {
        let result = match stack.decide(call) {
            Ok(executes) => i32::from(!executes),
            Err(message) => {
                eprintln!("{}", message);
                2
            }
        };
        worst = worst.max(result);
    }
    Ok(worst)
}

fn main() {
    std::process::exit(run().unwrap_or_else(|message| {
        eprintln!("{}", message);
        2
    }));
}
