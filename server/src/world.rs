//! The simulated outside world: how it behaves, written down beside the database so that every later run meets the same.

use crate::{
    args::WorldArgs,
    plan::{PaymentMix, Percent},
};
use oms_core::{
    gateway::simulated::{Draws, Windows},
    worker::Options,
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a database's world is not the one that is asked for.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A flag says otherwise than the first run.
    #[error(
        "{} was begun with --{flag} {stored}, and {asked} is asked for; leave --{flag} out to go on, \
         or name another database with --db",
        db.display()
    )]
    Differs {
        /// The database.
        db: PathBuf,
        /// Which flag.
        flag: &'static str,
        /// What the first run said.
        stored: String,
        /// What is said now.
        asked: String,
    },
    /// The file is there, and is not what was written.
    #[error("{} cannot be read; restore it, or delete it and give the flags of the first run again", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("{} cannot be written; check its permissions and the disk", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How the simulated outside world behaves. By default all pay by card, nothing fails, and nothing takes time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// Which draw.
    pub seed: u64,
    /// Orders paid by UPI.
    pub upi: Percent,
    /// Orders paid in cash on delivery.
    pub cod: Percent,
    /// Declined payments.
    pub decline: Percent,
    /// Refused parcels.
    pub refuse: Percent,
    /// Lanes of every group; what the house takes by itself where none was asked for.
    pub lanes: Option<u16>,
    /// How long it takes.
    pub windows: Windows,
}

/// A world as it is written down; times in milliseconds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    seed: u64,
    upi: Percent,
    cod: Percent,
    decline: Percent,
    refuse: Percent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lanes: Option<u16>,
    approval: u64,
    late: u64,
    dispatch: u64,
    delivery: u64,
}

impl World {
    /// Where the world of a database is written down.
    ///
    /// ```
    /// use oms_server::world::World;
    /// assert_eq!(World::place("shop/orders.db".as_ref()), std::path::Path::new("shop/orders.db.world.json"));
    /// ```
    #[must_use]
    pub fn place(db: &Path) -> PathBuf {
        let mut name = db.as_os_str().to_owned();
        name.push(".world.json");
        PathBuf::from(name)
    }

    /// Reads the world of a database; `None` before its first run.
    ///
    /// # Errors
    /// [`WorldError::Unreadable`].
    pub fn read(db: &Path) -> Result<Option<Self>, WorldError> {
        let path = Self::place(db);
        let read = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.and_then(|bytes| Ok(serde_json::from_slice::<Written>(&bytes)?)),
        };
        match read {
            Ok(written) => Ok(Some(written.into())),
            Err(source) => Err(WorldError::Unreadable { path, source }),
        }
    }

    /// Writes the world of a database down, whole or not at all.
    ///
    /// # Errors
    /// [`WorldError::Unwritten`].
    pub fn write(&self, db: &Path) -> Result<(), WorldError> {
        let path = Self::place(db);
        // Processes that start at once each write a file of their own; whichever is put there last is whole.
        let new = path.with_extension(format!("json-new-{}", std::process::id()));
        let write = || {
            let mut file = fs::File::create(&new)?;
            file.write_all(&serde_json::to_vec(&Written::from(*self))?)?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(|source| {
            let _ = fs::remove_file(&new);
            WorldError::Unwritten { path: path.clone(), source }
        })
    }

    /// This world with what the command line says.
    #[must_use]
    pub fn with(self, args: &WorldArgs) -> Self {
        Self {
            seed: args.seed.unwrap_or(self.seed),
            upi: args.upi.unwrap_or(self.upi),
            cod: args.cod.unwrap_or(self.cod),
            decline: args.decline.unwrap_or(self.decline),
            refuse: args.refuse.unwrap_or(self.refuse),
            lanes: args.lanes.or(self.lanes),
            windows: self.windows,
        }
    }

    /// Says whether the command line asks for this world: what is not said agrees.
    ///
    /// # Errors
    /// [`WorldError::Differs`], for the first flag that does.
    pub fn agrees(&self, db: &Path, args: &WorldArgs) -> Result<(), WorldError> {
        let percents = [
            ("upi", self.upi, args.upi),
            ("cod", self.cod, args.cod),
            ("decline", self.decline, args.decline),
            ("refuse", self.refuse, args.refuse),
        ];
        let said = |(flag, stored, asked): (_, Percent, Option<Percent>)| {
            (flag, stored.to_string(), asked.map(|asked| asked.to_string()))
        };
        let seed = ("seed", self.seed.to_string(), args.seed.map(|seed| seed.to_string()));
        let lanes = ("lanes", self.options().lanes.to_string(), args.lanes.map(|lanes| lanes.to_string()));
        for (flag, stored, asked) in [seed, lanes].into_iter().chain(percents.map(said)) {
            if let Some(asked) = asked.filter(|asked| *asked != stored) {
                return Err(WorldError::Differs { db: db.to_owned(), flag, stored, asked });
            }
        }
        Ok(())
    }

    /// The settings of the loops.
    #[must_use]
    pub fn options(&self) -> Options {
        let options = Options::default();
        Options { lanes: self.lanes.unwrap_or(options.lanes), ..options }
    }

    /// What goes wrong, and when.
    #[must_use]
    pub fn draws(&self) -> Draws {
        let million = |percent: Percent| percent.basis_points() * 100;
        Draws::new(self.seed).declining(million(self.decline)).refusing(million(self.refuse))
    }

    /// Who pays how.
    #[must_use]
    pub fn mix(&self) -> PaymentMix {
        PaymentMix { upi: self.upi, cod: self.cod, seed: self.seed }
    }
}

impl From<World> for Written {
    fn from(world: World) -> Self {
        let World { seed, upi, cod, decline, refuse, lanes, windows } = world;
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let [approval, late, dispatch, delivery] =
            [windows.approval, windows.late, windows.dispatch, windows.delivery].map(millis);
        Self { seed, upi, cod, decline, refuse, lanes, approval, late, dispatch, delivery }
    }
}

impl From<Written> for World {
    fn from(written: Written) -> Self {
        let Written { seed, upi, cod, decline, refuse, lanes, approval, late, dispatch, delivery } = written;
        let [approval, late, dispatch, delivery] =
            [approval, late, dispatch, delivery].map(Duration::from_millis);
        Self {
            seed,
            upi,
            cod,
            decline,
            refuse,
            lanes,
            windows: Windows { approval, late, dispatch, delivery },
        }
    }
}

#[cfg(test)]
mod tests;
