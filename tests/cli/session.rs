//! Runs the command in a folder of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

/// A temporary working folder, and a folder for caches.
pub struct Session {
    folder: tempfile::TempDir,
    cache: Rc<tempfile::TempDir>,
    variables: Vec<(&'static str, OsString)>,
}

/// What a command did.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

impl Session {
    pub fn new() -> Self {
        let session = Self { folder: tempfile::tempdir().unwrap(), cache: Rc::new(tempfile::tempdir().unwrap()), variables: Vec::new() };
        // What is found first is no library: the machine's own driver, if there is one, is out of sight.
        let hidden = session.cache.path().join("no-driver");
        std::fs::create_dir_all(&hidden).unwrap();
        std::fs::write(hidden.join("libcuda.so.1"), "no library").unwrap();
        session.with("LD_LIBRARY_PATH", hidden)
    }

    /// The same with a variable of the environment.
    pub fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// The same with a GPU that is none, and a log of what it does; none where there is no such driver.
    pub fn with_gpu(self) -> Option<Self> {
        let (folder, log) = (self.cache.path().join("driver"), self.cache.path().join("cuda.log"));
        let installed = fake_driver::install(&folder);
        if installed.is_err() {
            println!("skipped: the driver in NVIDIA's place is for Linux");
        }
        installed.is_ok().then(|| self.with("LD_LIBRARY_PATH", folder).with("FAKE_CUDA_LOG", log))
    }

    /// What the GPU did since the last time.
    pub fn gpu_log(&self) -> Vec<String> {
        let path = self.cache.path().join("cuda.log");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        drop(std::fs::remove_file(path));
        text.lines().map(str::to_owned).collect()
    }

    /// The folder, or a file in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, ready to be run or spawned.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duodiff"));
        command.args(arguments).stdin(Stdio::null());
        self.prepare(&mut command);
        command
    }

    /// The working folder and an environment in which nothing of this machine's matters but PATH.
    fn prepare(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).env("COLUMNS", "100").env("XDG_CACHE_HOME", self.cache.path());
        for name in ["NO_COLOR", "CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "NVCC_CCBIN", "CUDA_VISIBLE_DEVICES"] {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::from(self.command(arguments).output().unwrap())
    }

    /// Runs a line of shell script with the command as `$DUODIFF`.
    #[cfg(unix)]
    pub fn shell(&self, script: &str) -> Outcome {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("DUODIFF", env!("CARGO_BIN_EXE_duodiff"));
        self.prepare(&mut command);
        Outcome::from(command.output().unwrap())
    }

    /// Runs a command that must be refused with this code and this in its message, and that must leave no trace.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, message: &str) {
        let before = self.names(".");
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(message), "{arguments:?}: wanted {message:?} in {:?}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{arguments:?}: an error is no answer: {outcome:?}");
        assert_eq!(self.names("."), before, "{arguments:?} left a trace");
    }

    /// The names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A folder with a script in the place of nvcc, and a cache that its sessions share.
#[cfg(unix)]
pub struct FakeNvcc {
    folder: tempfile::TempDir,
    cache: Rc<tempfile::TempDir>,
}

#[cfg(unix)]
impl FakeNvcc {
    pub fn new() -> Self {
        Self::of("fake-nvcc")
    }

    /// The script of `tests/emulator`: its cubins run on the driver in NVIDIA's place. None without a C++ compiler.
    pub fn emulator() -> Option<Self> {
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let answers = Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success());
        if !answers {
            println!("skipped: no C++ compiler (c++ on PATH, or CXX)");
        }
        answers.then(|| Self::of("emulator"))
    }

    /// The same after an edit of every source, which makes kernels that are wrong.
    pub fn spoiled(edit: &str) -> Option<Self> {
        use std::os::unix::fs::PermissionsExt;
        let fake = Self::emulator()?;
        let nvcc = fake.bin().join("nvcc");
        let emulator = std::fs::read_link(&nvcc).unwrap();
        let script = format!(
            "#!/bin/sh\nfor source; do :; done\nif [ -f \"$source\" ]; then sed -i '{edit}' \"$source\"; fi\nexec {} \"$@\"\n",
            emulator.display()
        );
        std::fs::remove_file(&nvcc).unwrap();
        std::fs::write(&nvcc, script).unwrap();
        std::fs::set_permissions(&nvcc, std::fs::Permissions::from_mode(0o755)).unwrap();
        Some(fake)
    }

    fn of(folder: &str) -> Self {
        let fake = Self { folder: tempfile::tempdir().unwrap(), cache: Rc::new(tempfile::tempdir().unwrap()) };
        std::fs::create_dir(fake.bin()).unwrap();
        let script = format!("{}/../tests/{folder}/nvcc", env!("CARGO_MANIFEST_DIR"));
        std::os::unix::fs::symlink(script, fake.bin().join("nvcc")).unwrap();
        std::os::unix::fs::symlink("/bin/sh", fake.bin().join("gcc")).unwrap();
        fake
    }

    fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// A session that finds it.
    pub fn session(&self) -> Session {
        let path = format!("{}:/usr/bin:/bin", self.bin().display());
        Session { cache: self.cache.clone(), ..Session::new() }.with("PATH", path)
    }

    /// Number of compilations so far.
    pub fn calls(&self) -> usize {
        std::fs::read_to_string(self.bin().join("calls")).unwrap_or_default().lines().count()
    }

    /// The files of the cache.
    pub fn cached(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.cache.path().join("duodiff/cubins")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Outcome {
    /// stdout of a command that must have succeeded.
    #[track_caller]
    pub fn answer(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// stdout, every line of which must be a JSON object with our schema number.
    #[track_caller]
    pub fn json(self) -> Vec<serde_json::Value> {
        let lines: Vec<serde_json::Value> = self.answer().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| line["schema"] == 1), "{lines:?}");
        lines
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8 on both streams");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
