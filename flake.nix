# packaging/try-recipes evaluates it with a nixpkgs of a few functions, and builds nothing. There is no
# flake.lock yet; the first `nix build` writes it.
{
  description = "Extensions of the desktop session, with the permissions that you grant";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      version = (nixpkgs.lib.importTOML ./Cargo.toml).workspace.package.version;
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "sesame";
          inherit version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          cargoBuildFlags = [ "--package" "sesame-cli" ];
          # The tests start servers and look at the system calls of the binary.
          doCheck = false;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          postInstall = ''
            HOME=$TMPDIR $out/bin/sesame man man/man1
            installManPage man/man1/* man/man5/*
            installShellCompletion --cmd sesame \
              --bash <(HOME=$TMPDIR $out/bin/sesame completions bash) \
              --zsh <(HOME=$TMPDIR $out/bin/sesame completions zsh) \
              --fish <(HOME=$TMPDIR $out/bin/sesame completions fish)
            install -Dm644 -t $out/share/systemd/user packaging/systemd/*
            install -Dm644 -t $out/share/dbus-1/services packaging/dbus-1/*
            substituteInPlace $out/share/systemd/user/*.service $out/share/dbus-1/services/* \
              --replace-fail /usr/bin $out/bin
          '';
          meta = {
            homepage = "https://github.com/open-sesame/sesame";
            license = with nixpkgs.lib.licenses; [ mit asl20 ];
            mainProgram = "sesame";
            platforms = nixpkgs.lib.platforms.linux;
          };
        };
      });

      homeManagerModules.default = import ./packaging/nix/home-manager.nix self;
    };
}
