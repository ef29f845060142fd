//! Real servers for tests: installed when missing, started on loopback, disturbed on request, stopped by pid.
