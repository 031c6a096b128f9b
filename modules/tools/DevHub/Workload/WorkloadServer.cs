using EdgeDm.DevHub.Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Workload;

/// <summary>
/// The security daemon's workload API, one Unix socket per module: who calls is known by the socket, as the real daemon
/// knows it by the container.
/// </summary>
public sealed class WorkloadServer : IAsyncDisposable
{
    /// <summary>Largest body of a request.</summary>
    public const int LargestRequest = 1024 * 1024;

    private const UnixFileMode ForEveryUser =
        UnixFileMode.UserRead
        | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite;

    private readonly IModuleKeys keys;
    private readonly DevCertificateAuthority authority;
    private readonly IModuleStates states;
    private readonly ILoggerFactory loggers;
    private readonly SemaphoreSlim gate = new(1);
    private readonly Dictionary<string, WebApplication> sockets = new(StringComparer.Ordinal);

    /// <summary>Opens nothing yet.</summary>
    /// <param name="keys">Keys of the modules.</param>
    /// <param name="authority">Issues their certificates.</param>
    /// <param name="states">For <c>GET /modules</c>.</param>
    /// <param name="loggers">Kestrel's warnings go there.</param>
    public WorkloadServer(
        IModuleKeys keys,
        DevCertificateAuthority authority,
        IModuleStates states,
        ILoggerFactory loggers
    )
    {
        this.keys = keys;
        this.authority = authority;
        this.states = states;
        this.loggers = loggers;
    }

    /// <summary>Serves one module at a socket. A leftover of an earlier dev hub at that path is removed.</summary>
    /// <param name="moduleId">The only module that this socket speaks for.</param>
    /// <param name="socketPath">At most 107 bytes; its folder must be private.</param>
    /// <param name="forEveryUser">
    /// Users of any id may connect: a module in a container has its own. Its folder, which only this user enters, or the mount is the right.
    /// </param>
    /// <param name="cancellationToken">Ends the start.</param>
    public async Task OpenAsync(
        string moduleId,
        string socketPath,
        bool forEveryUser,
        CancellationToken cancellationToken
    )
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (sockets.ContainsKey(moduleId))
            {
                return;
            }
            File.Delete(socketPath);
            var application = Build(new WorkloadRequests(moduleId, keys, authority, states), socketPath);
            await application.StartAsync(cancellationToken);
            if (forEveryUser)
            {
                File.SetUnixFileMode(socketPath, ForEveryUser);
            }
            sockets.Add(moduleId, application);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var application in sockets.Values)
        {
            await application.StopAsync(CancellationToken.None);
            await application.DisposeAsync();
        }
        sockets.Clear();
        gate.Dispose();
    }

    private WebApplication Build(WorkloadRequests requests, string socketPath)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = LargestRequest;
            // An HTTP/1.1 client of a few lines is what SDKs speak here.
            options.ListenUnixSocket(socketPath, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.Run(requests.AnswerAsync);
        return application;
    }
}
