using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Tests;

/// <summary>HostAccess's interface over a real Unix socket, scripted by the test.</summary>
internal sealed class FakeHostAccess : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, UpdateStatus> updates = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, RebootStatus> reboots = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim revised = new(0);
    private readonly string socket;
    private WebApplication? app;

    private FakeHostAccess(string socket) => this.socket = socket;

    public string Endpoint => $"unix:{socket}";

    public string InstanceId { get; set; } = "boot-1";

    /// <summary>What it says of its interface's version.</summary>
    public string ApiVersion { get; set; } = HostApiVersion.Current.ToString();

    /// <summary>How often it was asked for a judgement.</summary>
    public int Verifications { get; private set; }

    public ImmutableArray<string> Installed { get; set; } = [];

    /// <summary>Answers verifications; throws to refuse.</summary>
    public Func<UpdateVerification, VerifiedUpdate> Verify { get; set; } =
        _ => new(Samples.UpdateId("2.0.0"), false, [Samples.File], true);

    /// <summary>Which roots it says it trusts.</summary>
    public RootListStatus Roots { get; set; } = new(0, ["EDGEDM.first.R"], [], [], 1);

    /// <summary>Takes root lists; throws to refuse.</summary>
    public Func<string, Task<RootListStatus>>? ReplaceRoots { get; set; }

    /// <summary>Root lists that it was given.</summary>
    public ConcurrentQueue<string> RootLists { get; } = new();

    public ConcurrentQueue<UpdateSubmission> Submissions { get; } = new();

    public ConcurrentQueue<RebootRequest> RebootRequests { get; } = new();

    public ConcurrentQueue<HealthEvidence> Evidence { get; } = new();

    /// <summary>The status that a submission begins with.</summary>
    public string FirstState { get; set; } = HostUpdateState.Staging;

    public bool RefusesCancel { get; set; }

    /// <summary>Holds a submission up before the host has it.</summary>
    public Func<Task> BeforeSubmission { get; set; } = () => Task.CompletedTask;

    public static async Task<FakeHostAccess> StartAsync(string folder)
    {
        var host = new FakeHostAccess(Path.Combine(folder, "h.sock"));
        await host.StartAsync();
        return host;
    }

    public async Task StartAsync()
    {
        File.Delete(socket);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.ConfigureHttpJsonOptions(o =>
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, ContractsJson.Default)
        );
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(socket));
        app = builder.Build();
        app.Use(
            (context, next) =>
            {
                context.Response.Headers[HostApiVersion.Header] = ApiVersion;
                return next(context);
            }
        );
        Map(app);
        await app.StartAsync();
    }

    public async Task StopAsync()
    {
        await app!.EndAsync();
        File.Delete(socket);
    }

    /// <summary>Moves an update on.</summary>
    public void Set(string commandId, string state, ErrorObject? error = null)
    {
        updates.AddOrUpdate(
            commandId,
            _ => throw new InvalidOperationException("Not submitted."),
            (_, s) => s with { State = state, Revision = s.Revision + 1, Error = error, HostInstanceId = InstanceId }
        );
        revised.Release(100);
    }

    /// <summary>A reboot has happened.</summary>
    public void Reboot()
    {
        InstanceId = "boot-" + Guid.NewGuid().ToString("N");
        foreach (var (id, status) in reboots)
        {
            reboots[id] = status with { State = "completed", HostInstanceId = InstanceId };
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app!.EndAsync();
        revised.Dispose();
    }

    private void Map(WebApplication routes)
    {
        routes.MapGet(
            HostApi.Root,
            () =>
                new HostAccessInfo(
                    "EdgeDm.HostAccess",
                    "0.0.1",
                    ["v1"],
                    "simulated",
                    InstanceId,
                    ["update"],
                    [],
                    ApiVersion
                )
        );
        routes.MapGet(HostApi.Inventory, () => Inventory());
        routes.MapPost(
            HostApi.VerifyUpdate,
            (UpdateVerification v) =>
            {
                Verifications++;
                return Guard(() => Verify(v));
            }
        );
        routes.MapGet(HostApi.Roots, () => Roots);
        routes.MapPost(
            HostApi.Roots,
            async (RootListSubmission s) =>
            {
                RootLists.Enqueue(s.RootList);
                try
                {
                    Roots = ReplaceRoots is { } replace ? await replace(s.RootList) : Roots with { Version = 1 };
                    return Results.Ok(Roots);
                }
                catch (EdgeDmException refusal)
                {
                    return Results.Json(refusal.Error, ContractsJson.Default.ErrorObject, statusCode: 409);
                }
            }
        );
        routes.MapPost(
            HostApi.Updates,
            async (UpdateSubmission s) =>
            {
                await BeforeSubmission();
                var status = updates.GetOrAdd(
                    s.CommandId,
                    id => new(id, 1, FirstState, Samples.UpdateId("2.0.0"), InstanceId, 10, [])
                );
                Submissions.Enqueue(s);
                return status;
            }
        );
        routes.MapGet(HostApi.Updates + "/{id}", GetUpdateAsync);
        routes.MapPost(
            HostApi.Updates + "/{id}/cancel",
            (string id) =>
                Guard(() =>
                {
                    if (!updates.TryGetValue(id, out var status))
                    {
                        throw ErrorRegistry.CommandNotFound.Exception(Subsystems.HostAccess, id, "Unknown.");
                    }
                    if (RefusesCancel)
                    {
                        throw ErrorRegistry.JobNotCancellable.Exception(Subsystems.HostAccess, id, "Too late.");
                    }
                    Set(id, HostUpdateState.Cancelled);
                    return status with { State = HostUpdateState.Cancelled };
                })
        );
        routes.MapPost(
            HostApi.Updates + "/{id}/evidence",
            (string id, HealthEvidence e) =>
                Guard(() =>
                {
                    Evidence.Enqueue(e);
                    return e.HostInstanceId == InstanceId
                        ? updates[id]
                        : throw ErrorRegistry.EvidenceOfOtherInstance.Exception(
                            Subsystems.HostAccess,
                            id,
                            "The host has restarted."
                        );
                })
        );
        routes.MapPost(
            HostApi.Reboot,
            (RebootRequest r) =>
            {
                var status = reboots.GetOrAdd(r.CommandId, id => new(id, "accepted", InstanceId, InstanceId));
                RebootRequests.Enqueue(r);
                return status;
            }
        );
        routes.MapGet(HostApi.Reboot + "/{id}", (string id) => reboots[id]);
    }

    private async Task<IResult> GetUpdateAsync(string id, long? afterRevision, int? waitSeconds, HttpContext context)
    {
        while (updates.TryGetValue(id, out var status))
        {
            if (afterRevision is null || status.Revision > afterRevision)
            {
                return Results.Ok(status with { HostInstanceId = InstanceId });
            }
            await revised.WaitAsync(TimeSpan.FromMilliseconds(50), context.RequestAborted);
        }
        return Results.Json(
            ErrorRegistry.CommandNotFound.Error(Subsystems.HostAccess, id, "Unknown."),
            ContractsJson.Default.ErrorObject,
            statusCode: 404
        );
    }

    private static IResult Guard<T>(Func<T> answer)
    {
        try
        {
            return Results.Ok(answer());
        }
        catch (EdgeDmException refusal)
        {
            return Results.Json(refusal.Error, ContractsJson.Default.ErrorObject, statusCode: 409);
        }
    }

    private HostInventory Inventory() =>
        new(
            "Contoso",
            "Gateway",
            null,
            null,
            "1.0.0",
            1000,
            2000,
            DateTimeOffset.UnixEpoch,
            "+00:00",
            "Etc/UTC",
            DateTimeOffset.UnixEpoch,
            InstanceId,
            Installed
        );
}
