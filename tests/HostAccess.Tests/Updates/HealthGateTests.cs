using EdgeDm.Contracts;
using EdgeDm.HostAccess.Updates;

namespace EdgeDm.HostAccess.Tests.Updates;

public sealed class HealthGateTests
{
    private static readonly TimeSpan Start = TimeSpan.FromMinutes(5);
    private static readonly HealthEvidence Complete = new("i", EdgeHubSession: true, ["Telemetry"], Upstream: true);

    private readonly HealthGate gate = new(
        new(TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(10), ["Telemetry"], RequireUpstream: true, TimeSpan.Zero)
    );

    [Fact]
    public void Judge_CompleteForTheStablePeriod_IsHealthy()
    {
        gate.Accept(Complete, At(20));
        Judge(20).ShouldBe(HealthState.Waiting);
        Judge(29.9).ShouldBe(HealthState.Waiting);
        Judge(30).ShouldBe(HealthState.Healthy);
    }

    [Fact]
    public void Judge_EvidenceGetsIncomplete_CountsTheStablePeriodAnew()
    {
        gate.Accept(Complete, At(20));
        Judge(20);
        gate.Accept(Complete with { EdgeHubSession = false }, At(25));
        Judge(25).ShouldBe(HealthState.Waiting);
        gate.Accept(Complete, At(26));
        Judge(35.9).ShouldBe(HealthState.Waiting);
        Judge(36).ShouldBe(HealthState.Healthy);
    }

    [Fact]
    public void Judge_EvidenceAtItsGreatestAge_CountsAndOlderDoesNot()
    {
        gate.Accept(Complete with { Modules = [] }, At(20));
        gate.Judge(Trial, At(35)).Missing.ShouldBe(["module Telemetry"]);
        gate.Judge(Trial, At(35.001)).Missing.ShouldBe(["recent evidence"]);
    }

    [Fact]
    public void Judge_NothingByTheDeadline_IsTooLate()
    {
        Judge(99.9).ShouldBe(HealthState.Waiting);
        Judge(100).ShouldBe(HealthState.TooLate);
    }

    [Fact]
    public void Judge_MissingParts_AreNamed()
    {
        gate.Accept(new("i", EdgeHubSession: false, []), At(1));
        gate.Judge(Trial, At(1)).Missing.ShouldBe(["session with edgeHub", "module Telemetry", "IoT Hub"]);
    }

    [Fact]
    public void Accept_SameContent_SaysThatNothingIsNew()
    {
        gate.Accept(Complete, At(1)).ShouldBeTrue();
        gate.Accept(Complete, At(2)).ShouldBeFalse();
        gate.Accept(Complete with { Modules = [] }, At(3)).ShouldBeTrue();
    }

    private static TrialRecord Trial => new("i", Start, 1);

    private static TimeSpan At(double seconds) => Start + TimeSpan.FromSeconds(seconds);

    private HealthState Judge(double seconds) => gate.Judge(Trial, At(seconds)).State;
}
