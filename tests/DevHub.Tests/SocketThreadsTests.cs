namespace EdgeDm.DevHub.Tests;

public sealed class SocketThreadsTests
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    [Theory]
    [InlineData(null)]
    [InlineData("0")]
    public void HandleThemselves_Environment_IsForTheModulesAsItWas(string? before)
    {
        Environment.SetEnvironmentVariable(Variable, before);
        SocketThreads.HandleThemselves();
        Environment.GetEnvironmentVariable(Variable).ShouldBe(before);
        Environment.SetEnvironmentVariable(Variable, null);
    }

    [Fact]
    public async Task Leave_ThreadThatMustNotWait_IsLeft()
    {
        var left = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => _ = GoOnAsync());
        thread.Start();
        (await left.Task).ShouldNotBe(thread.ManagedThreadId);

        async Task GoOnAsync()
        {
            await SocketThreads.Leave();
            left.SetResult(Environment.CurrentManagedThreadId);
        }
    }
}
