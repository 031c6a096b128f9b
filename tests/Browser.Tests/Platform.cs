using System.Runtime.Versioning;

// The dev hub launches and supervises as Unix does.
[assembly: UnsupportedOSPlatform("windows")]
