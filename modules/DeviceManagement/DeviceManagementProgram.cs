using EdgeDm.Hosting;

namespace EdgeDm.DeviceManagement;

internal static class DeviceManagementProgram
{
    public static Task<int> RunAsync(ProgramContext context, CancellationToken cancellationToken) => Task.FromResult(2);
}
