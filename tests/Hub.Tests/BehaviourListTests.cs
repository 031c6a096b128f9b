using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace EdgeDm.Hub.Tests;

/// <summary>README.md beside this file says what a session does and which test shows it.</summary>
public sealed partial class BehaviourListTests
{
    [Fact]
    public void List_NamesTestsThatExist()
    {
        var tests = typeof(BehaviourListTests)
            .Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Where(IsTest).Select(method => $"{type.Name}.{method.Name}"))
            .ToHashSet(StringComparer.Ordinal);
        var named = Row().Matches(File.ReadAllText(ListFile())).Select(row => row.Groups["test"].Value).ToList();
        named.ShouldNotBeEmpty();
        named.Where(test => !tests.Contains(test)).ShouldBeEmpty();
    }

    private static bool IsTest(System.Reflection.MethodInfo method) =>
        method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0;

    private static string ListFile([CallerFilePath] string file = "") =>
        Path.Combine(Path.GetDirectoryName(file)!, "README.md");

    [GeneratedRegex(@"^\|.*`(?<test>\w+\.\w+)` \|\r?$", RegexOptions.Multiline, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Row();
}
