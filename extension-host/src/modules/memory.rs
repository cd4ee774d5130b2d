//! The exchange of bytes with a module.

use wasmtime::{AsContextMut, Caller, Extern, Instance, Memory, TypedFunc};

use super::fault::ModuleFault;
use super::state::ModuleState;
use crate::limits::Bounded;

/// The memory of a module, and the function that allocates in it.
pub(crate) struct GuestMemory {
    memory: Memory,
    malloc: Option<TypedFunc<u32, u32>>,
}

impl GuestMemory {
    /// Finds the memory of a module that calls the host.
    pub(crate) fn of_caller(caller: &mut Caller<'_, ModuleState>) -> Result<Self, ModuleFault> {
        let memory = caller
            .get_export("memory")
            .and_then(Extern::into_memory)
            .ok_or(ModuleFault::NoMemory)?;
        let malloc = caller.get_export("malloc").and_then(Extern::into_func);
        let malloc = malloc.and_then(|malloc| malloc.typed(&caller).ok());
        Ok(Self { memory, malloc })
    }

    /// Finds the memory of an instance.
    pub(crate) fn of_instance(
        instance: &Instance,
        mut store: impl AsContextMut<Data = ModuleState>,
    ) -> Result<Self, ModuleFault> {
        let memory = instance.get_memory(&mut store, "memory").ok_or(ModuleFault::NoMemory)?;
        Ok(Self { memory, malloc: instance.get_typed_func(&mut store, "malloc").ok() })
    }

    /// Copies and counts the bytes at an address.
    pub(crate) fn read(
        &self,
        mut store: impl AsContextMut<Data = ModuleState>,
        address: u32,
        length: u32,
    ) -> wasmtime::Result<Vec<u8>> {
        let end = address as usize + length as usize;
        let size = self.memory.data_size(&store);
        if end > size {
            return Err(ModuleFault::OutOfMemory { address, length, memory: size }.into());
        }
        store.as_context_mut().data_mut().bounds_mut().hold(length as usize)?;
        Ok(self.memory.data(&store)[address as usize..end].to_vec())
    }

    /// Reads the bytes of a 64-bit number, `(address << 32) | length`. Returns `None` for 0.
    pub(crate) fn read_packed(
        &self,
        store: impl AsContextMut<Data = ModuleState>,
        packed: i64,
    ) -> wasmtime::Result<Option<Vec<u8>>> {
        match (packed as u64 >> 32, packed as u32) {
            (0, 0) => Ok(None),
            (address, length) => self.read(store, address as u32, length).map(Some),
        }
    }

    /// Allocates with the module's `malloc`, writes the bytes there, and returns the address.
    ///
    /// Nothing is freed: the instance ends with the call, and the module may have freed them
    /// itself.
    pub(crate) async fn give(
        &self,
        mut store: impl AsContextMut<Data = ModuleState>,
        bytes: &[u8],
    ) -> wasmtime::Result<u32> {
        let malloc = self.malloc.as_ref().ok_or(ModuleFault::NoMalloc)?;
        let length = u32::try_from(bytes.len())
            .map_err(|_| ModuleFault::BadMalloc { address: 0, length: bytes.len() })?;
        if std::mem::replace(&mut store.as_context_mut().data_mut().is_giving, true) {
            return Err(ModuleFault::NestedMalloc.into());
        }
        let address = malloc.call_async(&mut store, length).await?;
        store.as_context_mut().data_mut().is_giving = false;
        let refused = || ModuleFault::BadMalloc { address, length: bytes.len() };
        if address == 0 {
            return Err(refused().into());
        }
        self.memory.write(&mut store, address as usize, bytes).map_err(|_| refused())?;
        Ok(address)
    }

    /// Writes bytes into the module, and returns the number that stands for them.
    pub(crate) async fn give_packed(
        &self,
        store: impl AsContextMut<Data = ModuleState>,
        bytes: &[u8],
    ) -> wasmtime::Result<i64> {
        let length = bytes.len() as u64;
        let address = self.give(store, bytes).await?;
        Ok((u64::from(address) << 32 | length) as i64)
    }
}
