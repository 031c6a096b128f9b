using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Verbs;
using EdgeDm.HostAccess.Verbs.FactoryReset;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.HostAccess.Api;

/// <summary>From a request to what answers it. The whole interface is in this one table.</summary>
internal sealed class HostApiRoutes(
    HostReadings readings,
    RebootVerb reboot,
    TimeVerb clock,
    FactoryResetVerb factoryReset,
    UpdateVerbs updates,
    RootsVerb roots,
    VerbGate verbs,
    ApiOptions options
)
{
    /// <summary>Answers, or throws the refusal.</summary>
    public Task AnswerAsync(ApiRequest request)
    {
        Admit(request);
        var caller = Understand(request);
        return (request.IsRead, request.Segments) switch
        {
            (true, []) => request.AnswerAsync(Ok, readings.Access(caller), ContractsJson.Default.HostAccessInfo),
            (true, ["inventory"]) => request.AnswerAsync(Ok, readings.Inventory(), ContractsJson.Default.HostInventory),
            (true, ["roots"]) => request.AnswerAsync(Ok, roots.Read(), ContractsJson.Default.RootListStatus),
            (true, ["reboot", var id]) => request.AnswerAsync(Ok, reboot.Find(id), ContractsJson.Default.RebootStatus),
            (true, ["time"]) => request.AnswerAsync(Ok, clock.Read(), ContractsJson.Default.HostTime),
            (true, ["factory-reset", var id]) => request.AnswerAsync(
                Ok,
                factoryReset.Find(id),
                ContractsJson.Default.FactoryResetStatus
            ),
            (true, ["updates", var id]) => WatchAsync(request, id),
            (false, ["reboot"]) => RebootAsync(request),
            (false, ["time"]) => SetTimeAsync(request),
            (false, ["factory-reset"]) => ResetAsync(request),
            (false, ["roots"]) => ReplaceRootsAsync(request),
            (false, ["updates", "verify"]) => VerifyAsync(request),
            (false, ["updates"]) => SubmitAsync(request),
            (false, ["updates", var id, "cancel"]) => CancelAsync(request, id),
            (false, ["updates", var id, "evidence"]) => EvidenceAsync(request, id),
            _ => throw ErrorRegistry.NotSupportedOnHost.Refusal("path", "There is no such path or method."),
        };
    }

    private const int Ok = StatusCodes.Status200OK;
    private const int Accepted = StatusCodes.Status202Accepted;

    private void Admit(ApiRequest request)
    {
        var connection = request.Connection;
        if (connection.IsAllowed && (request.IsRead || (request.IsPost && connection.Socket.MayWrite)))
        {
            return;
        }
        var error = ErrorRegistry.DeniedByPolicy.Told(
            connection.Socket.Name,
            connection.IsAllowed
                ? $"The socket '{connection.Socket.Name}' does not offer this."
                : $"User {connection.Caller.UserId} may not use the socket '{connection.Socket.Name}'."
        );
        verbs.Denied(request.Caller, connection.Socket.Name, error);
        throw new EdgeDmException(error);
    }

    /// <summary>The caller's version; one that could misunderstand an answer gets none, except who answers.</summary>
    private static HostApiVersion Understand(ApiRequest request)
    {
        var said = request.ApiVersion;
        if (!HostApiVersion.TryParse(said, out var caller))
        {
            throw ErrorRegistry.InvalidValue.Refusal(
                HostApiVersion.Header,
                $"The header {HostApiVersion.Header} must be two numbers with a dot."
            );
        }
        return request.Segments is [] || caller.WorksWith(HostApiVersion.Current)
            ? caller
            : throw ErrorRegistry.HostApiVersion.Refusal(
                HostApiVersion.Header,
                $"The caller speaks version {caller} of the interface, HostAccess {HostApiVersion.Current}.",
                ("caller", caller.ToString()),
                ("hostAccess", HostApiVersion.Current.ToString())
            );
    }

    private async Task WatchAsync(ApiRequest request, string commandId)
    {
        var after = request.Query("afterRevision", otherwise: -1, 0, long.MaxValue);
        var wait = request.Query("waitSeconds", otherwise: 0, 0, options.MaxWaitSeconds);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, request.Stopping);
        var status = await updates.WatchAsync(commandId, after, TimeSpan.FromSeconds(wait), end.Token);
        await request.AnswerAsync(Ok, status, ContractsJson.Default.UpdateStatus);
    }

    private async Task RebootAsync(ApiRequest request)
    {
        var body = await request.ReadAsync(ContractsJson.Default.RebootRequest);
        await updates.SettleAsync(request.Aborted);
        var status = reboot.Request(request.Caller, body);
        await request.AnswerAsync(Accepted, status, ContractsJson.Default.RebootStatus);
    }

    private async Task SetTimeAsync(ApiRequest request)
    {
        var body = await request.ReadAsync(ContractsJson.Default.TimeRequest);
        await request.AnswerAsync(Ok, clock.Request(request.Caller, body), ContractsJson.Default.TimeStatus);
    }

    private async Task ResetAsync(ApiRequest request)
    {
        var body = await request.ReadAsync(ContractsJson.Default.FactoryResetRequest);
        await updates.SettleAsync(request.Aborted);
        var status = factoryReset.Request(request.Caller, body);
        await request.AnswerAsync(Accepted, status, ContractsJson.Default.FactoryResetStatus);
    }

    private async Task ReplaceRootsAsync(ApiRequest request)
    {
        var body = await request.ReadAsync(ContractsJson.Default.RootListSubmission);
        var status = roots.Replace(request.Caller, body);
        await request.AnswerAsync(Ok, status, ContractsJson.Default.RootListStatus);
    }

    private async Task VerifyAsync(ApiRequest request)
    {
        var body = await request.ReadAsync(ContractsJson.Default.UpdateVerification);
        var verified = updates.Verify(request.Caller, body);
        await request.AnswerAsync(Ok, verified, ContractsJson.Default.VerifiedUpdate);
    }

    private async Task SubmitAsync(ApiRequest request)
    {
        var body = await request.ReadAsync(ContractsJson.Default.UpdateSubmission);
        await updates.SettleAsync(request.Aborted);
        var status = updates.Submit(request.Caller, body);
        await request.AnswerAsync(Accepted, status, ContractsJson.Default.UpdateStatus);
    }

    private async Task CancelAsync(ApiRequest request, string commandId)
    {
        var status = await updates.CancelAsync(request.Caller, commandId, request.Aborted);
        await request.AnswerAsync(Ok, status, ContractsJson.Default.UpdateStatus);
    }

    private async Task EvidenceAsync(ApiRequest request, string commandId)
    {
        var body = await request.ReadAsync(ContractsJson.Default.HealthEvidence);
        var evidence = body.Modules.IsDefault ? body with { Modules = ImmutableArray<string>.Empty } : body;
        var status = updates.Accept(request.Caller, commandId, evidence);
        await request.AnswerAsync(Ok, status, ContractsJson.Default.UpdateStatus);
    }
}
