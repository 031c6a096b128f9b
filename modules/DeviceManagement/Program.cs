using EdgeDm.DeviceManagement;
using EdgeDm.Hosting;
using EdgeDm.ModuleHost;

return await ModuleProgram.RunAsync(
    "DeviceManagement",
    async (context, stopping) =>
    {
        using var hub = HubModule.FromEnvironment(context);
        using var module = new DeviceManagementModule(
            DeviceManagementOptions.From(context.Options),
            hub,
            context.Time,
            context.Loggers
        );
        await FirstToEnd.RunAsync(stopping, module.RunAsync, hub.RunAsync);
        return ExitCodes.Success;
    }
);
