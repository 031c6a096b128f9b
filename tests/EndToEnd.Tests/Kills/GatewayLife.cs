using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>
/// What a gateway does in a life: it is told what to observe, installs an update with its reboot, and is rebooted by an operator. With
/// at most one kill somewhere in it, everything must be done once and be told once.
/// </summary>
internal sealed class GatewayLife(KillableGateway gateway)
{
    private const string Version = "2.0.0";
    private const string Deployment = "w1";
    private const string Reboot = "r1";

    /// <summary>A kill may cost a reminder (60 s) before what was lost with the process is asked for again.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private static readonly Observations List = new([new("device/memoryFree", MinPeriodSeconds: 1)]);

    private HubService Service => gateway.Gateway.Service;

    /// <summary>Runs it, and returns how long that took.</summary>
    public async Task<TimeSpan> RunAsync(Func<Task>? kill = null)
    {
        var watch = Stopwatch.StartNew();
        await UntilTakenAsync(() => gateway.ObserveAsync("o1", List));
        var desired = new JsonObject { ["firmwareUpdate"] = gateway.Publish(Version, Deployment) };
        await UntilTakenAsync(() => Service.DesireAsync(desired));
        var killing = kill?.Invoke() ?? Task.CompletedTask;
        await InTimeAsync(async () => EndOf(await TwinAsync()));
        await RebootAsync();
        await killing;
        return watch.Elapsed;
    }

    /// <summary>Checks that all was done once and told once.</summary>
    /// <param name="mayFail">The update may also have failed; then nothing of it may be in force.</param>
    public async Task<CheckedLife> CheckAsync(bool mayFail = false)
    {
        // The hub may have had the twin's patch before it heard of the event.
        var group = EndOf(await TwinAsync())!;
        var jobId = ((string?)group["jobId"]).ShouldNotBeNull("the twin must name the job");
        await EventsAsync(jobId);
        await EventsAsync(Reboot);

        var succeeded = !mayFail || (string?)group["__meta"]!["deploymentStatus"] == "succeeded";
        gateway
            .Cloud.EndsOf(Deployment)
            .ShouldBe([succeeded ? "succeeded" : "failed"], "a twin watcher must see one end");
        if (succeeded)
        {
            gateway.Installs.ShouldBe([Version], "the script must have run once");
            ((string?)group["installedUpdateId"]).ShouldBe(
                $$"""{"provider":"Contoso","name":"Gateway","version":"{{Version}}"}"""
            );
            ((int?)group["lastInstallResult"]?["resultCode"]).ShouldBe(700);
        }
        else
        {
            gateway.Installs.Length.ShouldBeLessThanOrEqualTo(1, "the script must not have run twice");
            group["installedUpdateId"].ShouldBeNull();
            group["__errors"]!.AsObject().Count.ShouldBe(1);
        }
        Told(jobId).ShouldBe(succeeded ? JobStatuses.Completed : JobStatuses.Failed);
        Told(Reboot).ShouldBe(JobStatuses.Completed);
        Directory
            .EnumerateFiles(gateway.Gateway.DataFolder, "*.damaged-*", SearchOption.AllDirectories)
            .ShouldBeEmpty("no record may be damaged by a kill");
        var repeats = new[] { jobId, Reboot }
            .Select(gateway.Cloud.EventsOf)
            .Sum(events => events.Count - events.Select(e => e.MessageId).Distinct().Count());
        return new(succeeded, repeats);
    }

    /// <summary>The one end of a job that its events tell; each status has one message id, however often it was sent.</summary>
    private string Told(string jobId)
    {
        var events = gateway.Cloud.EventsOf(jobId);
        events.Select(e => e.MessageId).Distinct().Count().ShouldBe(events.Select(e => e.Status).Distinct().Count());
        return events.Select(e => e.Status).Where(JobStatuses.IsTerminal).Distinct().ShouldHaveSingleItem();
    }

    private async Task RebootAsync()
    {
        // Asked for until it is answered, as an operator would; the id makes it one reboot.
        await InTimeAsync(async () => await TryCallAsync("StartRebootCmd", new() { ["commandId"] = Reboot }));
        await InTimeAsync(async () =>
            await TryCallAsync("getJob", new() { ["jobId"] = Reboot }) is { } job
            && JobStatuses.IsTerminal((string)job["status"]!)
                ? job
                : null
        );
    }

    private Task EventsAsync(string jobId) =>
        InTimeAsync(() =>
            Task.FromResult(
                gateway.Cloud.EventsOf(jobId) is { } all && all.Any(e => JobStatuses.IsTerminal(e.Status)) ? all : null
            )
        );

    private static JsonObject? EndOf(JsonObject? reported) =>
        reported?["firmwareUpdate"] is JsonObject group
        && (string?)group["__meta"]?["deploymentId"] == Deployment
        && (string?)group["__meta"]?["deploymentStatus"] is "succeeded" or "failed"
            ? group
            : null;

    private async Task<JsonObject?> TwinAsync()
    {
        try
        {
            return await Service.ReportedAsync();
        }
        catch (Exception error) when (IsAway(error))
        {
            return null;
        }
    }

    /// <summary>Tries until the hub has it: it may be between two lives. The same again changes nothing.</summary>
    private Task UntilTakenAsync(Func<Task> send) =>
        InTimeAsync(async () =>
        {
            try
            {
                await send();
                return send;
            }
            catch (Exception error) when (IsAway(error))
            {
                return null;
            }
        });

    private async Task<JsonNode?> TryCallAsync(string method, JsonObject payload)
    {
        try
        {
            var (status, answer) = await Service.CallAsync(method, payload);
            return status == 200 ? answer : null;
        }
        catch (Exception error) when (IsAway(error))
        {
            return null; // The module or the hub is between two lives.
        }
    }

    private static bool IsAway(Exception error) =>
        error
            is HttpRequestException
                or IOException
                or ShouldAssertException
                or OperationCanceledException
                or ObjectDisposedException;

    private async Task InTimeAsync<T>(Func<Task<T?>> ask)
        where T : class
    {
        try
        {
            await HubService.WaitAsync(ask, Limit);
        }
        catch (OperationCanceledException error)
        {
            throw new TimeoutException(
                $"Not within {Limit}. What was printed:\n{gateway.Gateway.Output}\nWhat the cloud was told last:\n{gateway.Cloud.Tail}",
                error
            );
        }
    }
}

/// <summary>A life in which all was done once and told once.</summary>
/// <param name="Succeeded">The update did.</param>
/// <param name="Repeats">Events that came more than once, with the <c>$.mid</c> of the first.</param>
internal sealed record CheckedLife(bool Succeeded, int Repeats);
