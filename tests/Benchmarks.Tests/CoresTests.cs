using EdgeDm.Benchmarks.Session;

namespace EdgeDm.Benchmarks.Tests;

public sealed class CoresTests
{
    [Theory]
    [InlineData("0-3\n", 0, 1)]
    [InlineData("\t2,5-7", 2, 5)]
    [InlineData("4", 4, 4)]
    public void Parse_KernelsList_TakesTheFirstTwo(string list, int client, int server)
    {
        var cores = Cores.Parse(list);

        cores.ShouldBe(new(client, server));
        cores.AreOne.ShouldBe(client == server);
    }
}
