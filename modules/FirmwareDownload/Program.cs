using EdgeDm.FirmwareDownload;
using EdgeDm.Hosting;
using EdgeDm.ModuleHost;

return await ModuleProgram.RunAsync(
    "FirmwareDownload",
    async (context, stopping) =>
    {
        using var hub = HubModule.FromEnvironment(context);
        using var module = new FirmwareDownloadModule(
            hub,
            context.Options.Text("EDGEDM_DATA", "/var/lib/edgedm"),
            context.Options.Text("EDGEDM_STORE", "/var/lib/edgedm-store"),
            DownloadOptions.From(context.Options),
            context.Version,
            context.Time,
            Random.Shared.NextDouble,
            context.Loggers
        );
        await FirstToEnd.RunAsync(stopping, module.RunAsync, hub.RunAsync);
        return ExitCodes.Success;
    }
);
