using System.Runtime.Versioning;

// Unix sockets with modes, process groups, signals: the dev hub is a Unix program.
[assembly: UnsupportedOSPlatform("windows")]
