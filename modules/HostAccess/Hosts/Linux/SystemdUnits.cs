using System.Globalization;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.DBus;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// Units of the host's systemd. A record on disk comes before the start and systemd refuses a name that it has, so a name is started once:
/// a unit that was started and that systemd does not have any more was interrupted, however far it came.
/// </summary>
internal sealed partial class SystemdUnits : IHostUnits
{
    /// <summary>CLD_EXITED: the program ended by itself. Others: a signal ended it.</summary>
    private const int ByItself = 1;

    private const int SignalOffset = 128;
    private const int Kill = 9;

    /// <summary>Longer than a unit's own time to stop.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);

    private readonly HostBus bus;
    private readonly string folder;
    private readonly string instanceId;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();

    /// <param name="bus">The host's services.</param>
    /// <param name="folder">Records and output of the units; the host's systemd must find it under the same path.</param>
    /// <param name="instanceId">This start of the host.</param>
    /// <param name="time">For time limits.</param>
    /// <param name="logger">Told of units that were interrupted.</param>
    public SystemdUnits(HostBus bus, string folder, string instanceId, TimeProvider time, ILogger logger)
    {
        this.bus = bus;
        this.folder = folder;
        this.instanceId = instanceId;
        this.time = time;
        this.logger = logger;
        Directory.CreateDirectory(folder);
    }

    public UnitState Start(UnitSpec unit)
    {
        lock (gate)
        {
            var found = Find(unit.Name);
            if (found.Phase != UnitPhase.Missing)
            {
                return found;
            }
            var records = At(unit.Name);
            records.Make();
            records.Save(new(instanceId, Started: false));
            StartOnHost(unit, records);
            records.Save(new(instanceId, Started: true));
            return Find(unit.Name);
        }
    }

    public UnitState Query(string name)
    {
        lock (gate)
        {
            return Find(name);
        }
    }

    public string ReadOutput(string name)
    {
        lock (gate)
        {
            return UnitOutput.ReadTail(At(name).Path);
        }
    }

    public void Remove(string name)
    {
        lock (gate)
        {
            if (FindOnHost(name) is not null)
            {
                StopOnHost(TransientService.NameOf(name));
            }
            At(name).Delete();
        }
    }

    public IReadOnlyList<string> List() => [.. Directory.EnumerateDirectories(folder).Select(Path.GetFileName)!];

    private UnitState Find(string name)
    {
        var records = At(name);
        var record = records.Load();
        if (record?.Ended is { } ended)
        {
            return ended;
        }
        if (FindOnHost(name) is { } path && StateOf(name, path) is { } state)
        {
            if (state.Phase == UnitPhase.Running)
            {
                UnitOutput.CutShort(records.Path);
            }
            else if (record is not null)
            {
                records.Save(record with { Ended = state });
            }
            return state;
        }
        if (record is null || (!record.Started && record.InstanceId == instanceId))
        {
            return UnitState.Missing; // It would be here if systemd had taken it.
        }
        LogInterrupted(logger, name);
        records.Save(record with { Ended = UnitState.Interrupted });
        return UnitState.Interrupted;
    }

    /// <summary>Hands the unit to systemd. What systemd refuses is forgotten again: it was not started.</summary>
    private void StartOnHost(UnitSpec unit, SystemdUnitFolder records)
    {
        try
        {
            bus.Ask(
                Systemd.Service,
                async (client, cancel) =>
                {
                    try
                    {
                        await client.CallAsync(TransientService.Start(unit, records.OutputPath), cancel);
                    }
                    catch (DBusErrorException error) when (error.Name == Systemd.UnitExists)
                    {
                        // Started before a crash that came ahead of the record.
                    }
                    return true;
                }
            );
        }
        catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.HostServiceRefused.Code)
        {
            records.Delete();
            throw;
        }
    }

    /// <summary>The unit's object, or null when systemd does not have it.</summary>
    private string? FindOnHost(string name) =>
        bus.Ask(
            Systemd.Service,
            async (client, cancel) =>
            {
                try
                {
                    var answer = await client.CallAsync(
                        ManagerCall("GetUnit", "s", TransientService.NameOf(name)),
                        cancel
                    );
                    return answer.Read<string>();
                }
                catch (DBusErrorException error) when (error.Name == Systemd.NoSuchUnit)
                {
                    return null;
                }
            }
        );

    /// <summary>Null when systemd has only the name.</summary>
    private UnitState? StateOf(string name, string path)
    {
        var unit = bus.GetAll(Systemd.Service, path, Systemd.Unit);
        var isQueued = unit.GetValueOrDefault("Job") is object[] and [uint job, ..] && job != 0;
        return (string)unit["SubState"] switch
        {
            _ when isQueued => UnitState.Running,
            "dead" => null,
            "exited" when LeavesProcesses(name, path) => UnitState.Running,
            "exited" or "failed" => ResultOf(path),
            _ => UnitState.Running,
        };
    }

    /// <summary>
    /// systemd leaves alone what a program that succeeded left running. It is ended here, and only when it is gone the unit has ended.
    /// </summary>
    private bool LeavesProcesses(string name, string path)
    {
        var processes = bus.Call(new(Systemd.Service, path, Systemd.ServiceUnit, "GetProcesses")).Read<object[]>();
        if (processes.Length > 0)
        {
            bus.Call(ManagerCall("KillUnit", "ssi", TransientService.NameOf(name), "all", Kill));
        }
        return processes.Length > 0;
    }

    private UnitState ResultOf(string path)
    {
        if (bus.Get<string>(Systemd.Service, path, Systemd.ServiceUnit, "Result") == "timeout")
        {
            return UnitState.TimedOut;
        }
        var code = bus.Get<int>(Systemd.Service, path, Systemd.ServiceUnit, "ExecMainCode");
        var status = bus.Get<int>(Systemd.Service, path, Systemd.ServiceUnit, "ExecMainStatus");
        return code switch
        {
            0 => new(UnitPhase.Exited, UnitState.ExecFailed), // Not even a process came of it.
            ByItself => new(UnitPhase.Exited, status),
            _ => new(UnitPhase.Exited, SignalOffset + status),
        };
    }

    /// <summary>Ends the unit if it runs, and has systemd forget it.</summary>
    private void StopOnHost(string name) =>
        bus.Ask(
            Systemd.Service,
            async (client, cancel) =>
            {
                using var timeout = new CancellationTokenSource(StopPatience, time);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
                try
                {
                    using var removed = await client.SubscribeAsync(JobRemoved, cancel);
                    var job = (
                        await client.CallAsync(ManagerCall("StopUnit", "ss", name, "replace"), cancel)
                    ).Read<string>();
                    await removed.FirstAsync(signal => signal.Read<string>(1) == job, patience.Token);
                    return await client.CallAsync(ManagerCall("ResetFailedUnit", "s", name), cancel);
                }
                catch (DBusErrorException error) when (error.Name == Systemd.NoSuchUnit)
                {
                    return null; // Gone: a unit that is stopped and did not fail is forgotten at once.
                }
                catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
                {
                    throw new DBusTimeoutException(
                        $"systemd did not end {name} within {StopPatience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s."
                    );
                }
            }
        );

    private static DBusMatch JobRemoved { get; } = new(Systemd.Service, Systemd.Path, Systemd.Manager, "JobRemoved");

    private static DBusCall ManagerCall(string member, string signature, params object[] arguments) =>
        new(Systemd.Service, Systemd.Path, Systemd.Manager, member, signature, arguments);

    private SystemdUnitFolder At(string name) => new(Path.Combine(folder, UnitNames.Require(name)), logger);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Unit {Unit} was started and the host does not have it any more"
    )]
    private static partial void LogInterrupted(ILogger logger, string unit);
}
