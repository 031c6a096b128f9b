using EdgeDm.HostAccess;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.Hosting;

// The simulated host's units are run by this same program, so that they outlive the sidecar that started them.
return args is [UnitRunner.SubCommand, var folder]
    ? UnitRunner.Run(folder)
    : await ModuleProgram.RunAsync("HostAccess", HostAccessModule.RunAsync);
