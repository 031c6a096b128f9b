namespace EdgeDm.Durable.Tests;

public sealed class FailpointTests
{
    [Fact]
    public void Points_OfAWrite_AreBeforeAndAfter() =>
        new Failpoint("job.record").Points.ShouldBe(["job.record.before", "job.record.after"]);

    [Fact]
    public void Points_OfAWriteThatIsRemoved_AreFour() =>
        new Failpoint("x", removes: true).Points.ShouldBe(["x.before", "x.after", "x.remove.before", "x.remove.after"]);

    [Fact]
    public void Pass_WithoutTheVariable_LeavesNoTrace()
    {
        Environment.GetEnvironmentVariable(FailpointFolder.Variable).ShouldBeNullOrEmpty();
        var point = new Failpoint("x");

        point.Before();
        point.After();
        point.Removing(); // Not declared: nothing to die at.
        point.Removed();
    }

    [Fact]
    public void Arm_Folder_SaysAtWhichPassageFromNowOn()
    {
        var folder = Directory.CreateTempSubdirectory("edgedm-failpoints-");
        try
        {
            var path = folder.FullName;
            File.WriteAllText(Path.Combine(path, "x.before"), "..."); // Three passages so far.
            File.WriteAllText(Path.Combine(path, "fired"), "");

            FailpointFolder.Arm(path, "x.before", passages: 2);

            File.ReadAllText(Path.Combine(path, "armed")).ShouldBe("x.before 5");
            FailpointFolder.HasFired(path).ShouldBeFalse();
            FailpointFolder.Count(path, "x.before").ShouldBe(3);
            FailpointFolder.Count(path, "x.after").ShouldBe(0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
