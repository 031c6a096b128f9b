using EdgeDm.Hosting;
using EdgeDm.ModuleHost;
using EdgeDm.Telemetry;

return await ModuleProgram.RunAsync(
    "Telemetry",
    async (context, stopping) =>
    {
        using var hub = HubModule.FromEnvironment(context);
        using var module = new TelemetryModule(
            hub,
            context.Options.Text("EDGEDM_DATA", "/var/lib/edgedm"),
            TelemetryOptions.From(context.Options),
            context.Version,
            context.Time,
            context.Loggers
        );
        await FirstToEnd.RunAsync(stopping, module.RunAsync, hub.RunAsync);
        return ExitCodes.Success;
    }
);
