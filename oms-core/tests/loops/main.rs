//! The rules of the spine that need no server, each with a test that names it, on a stage with virtual time.

#[cfg(test)]
mod chaos;
#[cfg(test)]
mod door;
#[cfg(test)]
mod dropped;
#[cfg(test)]
mod health;
#[cfg(test)]
mod house;
#[cfg(test)]
mod lanes;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod owed;
#[cfg(test)]
mod placing;
#[cfg(test)]
mod toy;
#[cfg(test)]
mod turns;
#[cfg(test)]
mod waits;
#[cfg(test)]
mod watched;
#[cfg(test)]
mod wild;
#[cfg(test)]
mod wishes;
