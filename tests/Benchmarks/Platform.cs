using System.Runtime.Versioning;

// The dev hub launches and supervises as Unix does, and benches start it.
[assembly: UnsupportedOSPlatform("windows")]
